"""What a method leaves behind for `evaluate`, and what the methods on frozen features share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline import artifacts, dag, models
from pipeline.errors import InputError
from pipeline.models import Classifier

if TYPE_CHECKING:
    import pandas as pd

FOLDER = Path("data/methods")

Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Method:
    """A way to learn the new classes, trained.

    Attributes:
        name: of the method, and of its folder in `data/methods`.
        model: ready to use, at its chosen strength.
        tuned: the model at strength 1, if a strength was chosen.
        facts: `original_data`, `trainable_parameters` and `kept_bytes`; `strength` and `strengths`
            if a strength was chosen.
        curve: the training, a row per validation, if there was one.
        study: the hyper-parameter study, a row per trial, if there was one.
    """

    name: str
    model: Classifier
    tuned: Classifier | None
    facts: dict[str, Any]
    curve: "pd.DataFrame | None"
    study: "pd.DataFrame | None"


def save(
    name: str,
    model: Classifier,
    *,
    trainable: int,
    kept_bytes: int = 0,
    curve: Rows = (),
    study: Rows = (),
    tuned: Classifier | None = None,
    strength: float | None = None,
    strengths: Sequence[float] = (),
) -> None:
    """Saves a method's results where `evaluate` finds them.

    Args:
        name: of the method.
        model: ready to use.
        trainable: how many parameters were trained.
        kept_bytes: what the method keeps of the old data, beyond the base model.
        curve: rows of the training.
        study: rows of the hyper-parameter study.
        tuned: the model at strength 1, if `model` has another.
        strength: the chosen strength.
        strengths: those that `evaluate` shall show.

    Raises:
        InputError: if a file can't be written.
    """
    folder = FOLDER / name
    facts: dict[str, Any] = {
        "original_data": dag.uses_original_data(folder),
        "trainable_parameters": trainable,
        "kept_bytes": kept_bytes,
    }
    if tuned is not None:
        models.save(folder / "tuned.safetensors", tuned)
        facts |= {"strength": strength, "strengths": list(strengths)}
    if curve:
        artifacts.save_table(folder / "curve.csv", curve)
    if study:
        artifacts.save_table(folder / "study.csv", study)
    artifacts.save_json(folder / "facts.json", facts)
    models.save(folder / "model.safetensors", model)


def load_all() -> list[Method]:
    """Loads every method there is: the base first, the others in alphabetical order.

    Raises:
        InputError: if a file is missing or damaged.
    """
    if not (FOLDER / "base").is_dir():
        raise InputError(f"{FOLDER}/base: not found; `dvc repro` makes it")
    names = sorted(
        (folder.name for folder in FOLDER.iterdir()), key=lambda name: (name != "base", name)
    )
    return [_load(name) for name in names]


def _load(name: str) -> Method:
    folder = FOLDER / name
    tuned, curve, study = (
        folder / file for file in ("tuned.safetensors", "curve.csv", "study.csv")
    )
    return Method(
        name,
        models.load(folder / "model.safetensors"),
        models.load(tuned) if tuned.exists() else None,
        artifacts.load_json(folder / "facts.json"),
        artifacts.load_table(curve) if curve.exists() else None,
        artifacts.load_table(study) if study.exists() else None,
    )
