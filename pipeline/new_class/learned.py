"""The base and the methods, trained, as `evaluate` compares them."""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.core import artifacts
from pipeline.learning.networks import Classifier
from pipeline.new_class import results
from pipeline.techniques import adapters, new_row, strength

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Method:
    """A way to learn the new classes, trained; or the base.

    Attributes:
        name: of the method, and of its folder in `data/methods`.
        model: ready to use, at its chosen strength.
        tuned: the model at strength 1, if a strength was chosen.
        facts: `original_data`, `trainable_parameters` and `kept_bytes`; `strength` and `strengths`
            if a strength was chosen.
        curve: the training, a row per validation; empty if there was none.
        study: the hyper-parameter study, a row per trial; empty if there was none.
    """

    name: str
    model: Classifier
    tuned: Classifier | None
    facts: dict[str, Any]
    curve: Rows
    study: Rows


def load(names: Sequence[str]) -> list[Method]:
    """Loads the base, and some methods in their order, but for those that were left out."""
    base = results.load_base()
    first = _with_about(results.BASE, "base", deepcopy(base), None)
    return [first, *(_load(name, base) for name in names if _there(name))]


def _there(name: str) -> bool:
    return results.LEFT_OUT not in artifacts.load_json(results.METHODS / name / "facts.json")


def _load(name: str, base: Classifier) -> Method:
    folder = results.METHODS / name
    tuned = new_row.restore(folder, base) or adapters.restore(folder, base)
    adapters.set_strength(tuned, 1)
    adapters.merge(tuned)
    return _with_about(folder, name, tuned, base)


def _with_about(folder: Path, name: str, tuned: Classifier, base: Classifier | None) -> Method:
    facts = artifacts.load_json(folder / "facts.json")
    curve, study = (
        artifacts.load_records(folder / file) if (folder / file).exists() else []
        for file in ("curve.csv", "study.csv")
    )
    if base is None or "strength" not in facts:
        return Method(name, tuned, None, facts, curve, study)
    model = strength.interpolate(base, tuned, facts["strength"])
    return Method(name, model, tuned, facts, curve, study)
