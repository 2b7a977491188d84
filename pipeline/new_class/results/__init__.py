"""What the base and the methods leave behind for `evaluate`."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from pipeline.core import artifacts, dag, labelled
from pipeline.core.errors import InputError
from pipeline.core.labelled import Labelled
from pipeline.learning import changes, models
from pipeline.learning.networks import Classifier
from pipeline.learning.training import Curve
from pipeline.new_class.results import restoring

BASE = Path("data/base")
METHODS = Path("data/methods")
GAUSSIANS = Path("data/statistics/gaussians.safetensors")
SAMPLES = Path("data/statistics/validation")
STEPS = "steps"
"""In the folder of a method that has learned in several steps, the folder of those."""
LEFT_OUT = "left_out"
"""In the facts of a method that needs old images, or statistics of them, which are gone."""

OldImages = Literal["training", "validation", "none"]
USES: dict[OldImages, tuple[str, ...]] = {
    "training": ("data/split/old_train", "data/features/old_train"),
    "validation": ("data/split/old_validation", "data/features/old_validation"),
}
"""Where the images of old classes are, or the features of them."""


def validation(
    inputs: Literal["split", "features"], budget: int | None = None, seed: int = 0
) -> Labelled:
    """The held-out images, or their features, of old classes and new ones.

    Args:
        inputs: images or features.
        budget: how many of every class (None: all).
        seed: that they are drawn with.
    """
    parts = (Labelled.load(f"data/{inputs}/{age}_validation") for age in ("old", "new"))
    return labelled.merge(*(part.few(budget, seed) for part in parts))


def old_count(*parts: Labelled) -> int:
    """How many images of old classes there are in all: what is kept, to train or to choose on."""
    return sum(int((~part.is_new).sum()) for part in parts)


def validation_without_old_images() -> Labelled:
    """Features of held-out images of the new classes; those of the old ones are samples.

    Images of a new class that has fewer than there are samples of an old one are there several
    times, so that each class weighs the same. Where `statistics.validation` is `images`, those of
    the old classes are of images too.
    """
    new = Labelled.load("data/features/new_validation")
    sampled = Labelled.load(SAMPLES)._replace(new=new.new, steps=new.steps)
    most = int(np.bincount(sampled.labels).max()) if len(sampled.labels) else 0
    return labelled.merge(sampled, new.where(labelled.repeated(new.labels, most)))


def kept_to_choose() -> int:
    """Bytes of the Gaussians that `validation_without_old_images` is drawn from."""
    return int(artifacts.load_json(SAMPLES / "kept.json")["bytes"])


def _images_to_choose(output: Path, unread: Sequence[str]) -> int:
    """Bytes of images that a method chose on where others choose on samples; 0 if these are."""
    if SAMPLES.as_posix() not in {*dependencies(output)} - {*unread}:
        return 0
    return int(artifacts.load_json(SAMPLES / "kept.json").get("images", 0))


def save_base(model: Classifier, curve: Curve) -> None:
    """Saves the base model and its training."""
    models.save(BASE / "model.safetensors", model)
    _save_about(BASE, model, curve=curve)


def require_new(data: Labelled) -> None:
    """Refuses data without new classes, where a base model is all that can be made.

    Raises:
        InputError: if there are none.
    """
    if not data.new:
        raise InputError("params.yaml: split.new_classes is []: nothing is left to learn")


def load_base() -> Classifier:
    """Loads the base model, ready to predict; in a later step, with what was learned before it."""
    model = models.load(BASE / "model.safetensors")
    for step in steps_of(BASE):
        model = restoring.restore(step, model).trained
    return model


def steps_of(folder: Path) -> list[Path]:
    """The folders of what was learned in each of several steps, in their order; none of one."""
    return sorted((folder / STEPS).glob("[0-9]*"), key=lambda step: int(step.name))


def dependencies(output: Path | str, project: Path = Path()) -> list[str]:
    """What the stage that makes an output depends on.

    A stage asks this of its own entry alone, whose change reruns it.

    Raises:
        InputError: if no stage of the project makes that output.
    """
    return dag.dependencies(_makers(project, output)[Path(output).as_posix()])


def save(name: str, model: Classifier, base: Classifier, **about: Any) -> None:
    """Saves a method's results where `evaluate` finds them: of its model, what it changed.

    Args:
        name: of the method.
        model: as trained (at strength 1); what requires a gradient was trained.
        base: the model that it started from.
        about: as for `save_about`.
    """
    changes.save(METHODS / name, model, base)
    save_about(name, model, **about)


def left_out(name: str, lacks: str) -> None:
    """Says, on the terminal and to `evaluate`, that a method can't do without what is gone.

    Args:
        name: of the method.
        lacks: what it needs.
    """
    print(f"{name}: left out, as it needs {lacks}", file=sys.stderr)
    artifacts.save_json(METHODS / name / "facts.json", {LEFT_OUT: lacks})


def save_about(
    name: str,
    model: Classifier,
    *,
    kept_bytes: int = 0,
    curve: Curve | None = None,
    study: Sequence[Mapping[str, Any]] = (),
    strength: float | None = None,
    strengths: Sequence[float] = (),
    unread: Sequence[str] = (),
) -> None:
    """Saves all but the weights of a method.

    Args:
        name: of the method.
        model: what requires a gradient was trained.
        kept_bytes: what the method keeps of the old data, beyond the base model.
        curve: rows of the training.
        study: rows of the hyper-parameter study.
        strength: the chosen one.
        strengths: those that `evaluate` shall show.
        unread: what the stage depends on, and has not read with the parameters of now.
    """
    chosen = {} if strength is None else {"strength": strength, "strengths": list(strengths)}
    used = old_images(METHODS / name, unread=unread)
    images = _images_to_choose(METHODS / name, unread)
    facts = {
        "kept_bytes": kept_bytes + images,
        "original_data": "validation" if images and used == "none" else used,
    }
    _save_about(METHODS / name, model, curve, study, facts | chosen)


def _save_about(
    folder: Path,
    model: Classifier,
    curve: Curve | None = None,
    study: Sequence[Mapping[str, Any]] = (),
    facts: Mapping[str, Any] | None = None,
) -> None:
    if curve:
        artifacts.save_table(folder / "curve.csv", curve)
    if study:
        artifacts.save_table(folder / "study.csv", study)
    told = {
        "original_data": old_images(folder),
        "trainable_parameters": models.trainable_parameters(model),
        "kept_bytes": 0,
    }
    artifacts.save_json(folder / "facts.json", told | dict(facts or {}))


def old_images(output: Path | str, project: Path = Path(), unread: Sequence[str] = ()) -> OldImages:
    """What the stage that makes an output reads images of the old classes for.

    Raises:
        InputError: if no stage of the project makes that output, or one of the `USES`, which then
            have another name.
    """
    _makers(project, *(name for names in USES.values() for name in names))
    listed = [name for name in dependencies(output, project) if name not in unread]
    for use, names in USES.items():
        if any(_overlap(dependency, name) for dependency in listed for name in names):
            return use
    return "none"


def _makers(project: Path, *outputs: Path | str) -> dict[str, dag.Stage]:
    """The stages of a project by what they make, among which there have to be some outputs."""
    stages = dag.stages(project).values()
    makers = {name: stage for stage in stages for name in dag.outputs(stage)}
    for name in map(Path, outputs):
        if name.as_posix() not in makers:
            raise InputError(
                f"{project / 'dvc.yaml'}: no stage has {name.as_posix()} among its outs"
            )
    return makers


def _overlap(one: str, other: str) -> bool:
    """Whether one is the other, or lies within it."""
    return Path(one).is_relative_to(other) or Path(other).is_relative_to(one)
