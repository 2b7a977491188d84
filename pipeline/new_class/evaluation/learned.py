"""The base and the methods, trained, as `evaluate` compares them."""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.core import artifacts
from pipeline.core.artifacts import Records
from pipeline.learning.networks import Classifier
from pipeline.new_class import results
from pipeline.new_class.results import restoring


@dataclass(frozen=True)
class Method:
    """A way to learn the new classes, trained; or the base.

    Attributes:
        name: of the method, and of its folder in `data/methods`.
        model: ready to use, at its chosen strength.
        tuned: the model at strength 1, if a strength was chosen.
        facts: `original_data`, `trainable_parameters` and `kept_bytes`; `strength` and `strengths`
            if a strength was chosen.
        curve: the training, a row per validation; empty if there was none. Of several steps that
            of the last, as is `study`.
        study: the hyper-parameter study, a row per trial; empty if there was none.
        after: the model after each step, at its strength; empty if there is one step alone.
    """

    name: str
    model: Classifier
    tuned: Classifier | None
    facts: dict[str, Any]
    curve: Records
    study: Records
    after: list[Classifier] = field(default_factory=list)


def load(names: Sequence[str]) -> list[Method]:
    """Loads the base, and some methods in their order, but for those that were left out."""
    base = results.load_base()
    curve, study = _training(results.BASE)
    facts = artifacts.load_json(results.BASE / "facts.json")
    first = Method("base", deepcopy(base), None, facts, curve, study)
    return [first, *(_load(name, base) for name in names if _there(name))]


def _there(name: str) -> bool:
    return results.LEFT_OUT not in artifacts.load_json(results.METHODS / name / "facts.json")


def _load(name: str, base: Classifier) -> Method:
    folder = results.METHODS / name
    facts = artifacts.load_json(folder / "facts.json")
    steps = results.steps_of(folder)
    curve, study = _training(steps[-1] if steps else folder)
    if not steps:
        restored = restoring.restore(folder, base)
        return Method(name, restored.model, restored.tuned, facts, curve, study)
    after = []
    for step in steps:
        restored = restoring.restore(step, base)
        after.append(restored.model)
        base = restored.trained
    return Method(name, after[-1], None, facts, curve, study, after)


def _training(folder: Path) -> tuple[Records, Records]:
    """The curve and the study that a folder has."""
    curve, study = (
        artifacts.load_records(folder / file) if (folder / file).exists() else []
        for file in ("curve.csv", "study.csv")
    )
    return curve, study
