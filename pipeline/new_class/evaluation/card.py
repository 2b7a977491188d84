"""What has to be known of the models of a run, wherever they are used: it travels with them.

The images may be gone then: names of classes, the form of a picture, and the values below which an
answer is `unknown`, are all here.
"""

import hashlib
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from pydantic import BaseModel, ConfigDict, ValidationError
from torch import Tensor

from pipeline.core import artifacts
from pipeline.core.errors import InputError
from pipeline.core.labelled import CHUNK, Labelled
from pipeline.new_class import results
from pipeline.new_class.evaluation.learned import Method
from pipeline.scoring.predictions import Predictions
from pipeline.sources.data import Data, Source
from pipeline.techniques import novelty
from pipeline.techniques.novelty import Novelty

PATH = Path("data/new_class/card.json")


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Known(_Part):
    """When a model's answer counts, and when it is `unknown`.

    Attributes:
        score: of the logits, as in `novelty.scores`: the one that parts the validation data
            that the model has right from those that it has wrong best.
        threshold: the value that 95 % of the validation data of the classes that the model was
            taught reach.
        passed: the share of the test images of those classes that reach it; None if there are none.
        passed_others: of those of classes that the model was not taught; None if there are none.
    """

    score: Literal["softmax", "energy"]
    threshold: float
    passed: float | None
    passed_others: float | None

    def passes(self, logits: Tensor) -> Tensor:
        """Which answers count, by their logits `(n, classes)`: `(n,)`, bool."""
        return novelty.scores(logits[None])[self.score] >= self.threshold


class Entry(_Part):
    """A model: the SHA-256 of its files of weights, and when its answers count."""

    weights: str
    known: Known


class Card(_Part):
    """What has to be known of the models of a run.

    Attributes:
        source: of the images, as in `data.source`.
        shape: channels, height and width of an image, or the number of features alone.
        fit: how pictures that are no squares are brought to it.
        classes: the names of all classes.
        new: indices of the classes that the base was not taught.
        test_sha256: over the pixels and the labels of the test images.
        test_images: how many there are of each class.
        models: the base and the methods, by their names.
    """

    source: Source
    shape: list[int]
    fit: Literal["crop", "pad"]
    classes: list[str]
    new: list[int]
    test_sha256: str
    test_images: list[int]
    models: dict[str, Entry]

    def save(self, path: Path | str = PATH) -> None:
        """Saves as JSON."""
        artifacts.save_json(path, self.model_dump())

    @classmethod
    def load(cls, path: Path | str = PATH) -> "Card":
        """Loads what `save` saved."""
        return cls.of(artifacts.load_json(path), path)

    @classmethod
    def of(cls, content: Any, path: Path | str) -> "Card":
        """Takes what stands in a file.

        Raises:
            InputError: if it is no card.
        """
        try:
            return cls.model_validate(content)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(map(str, first["loc"]))
            raise InputError(f"{path}: no card of this version: {place}: {first['msg']}") from None


def of_run(
    compared: Sequence[Method],
    validation: Predictions,
    sampled: Predictions,
    logits: Mapping[str, Tensor],
    test: Labelled,
    data: Data,
) -> Card:
    """The card of the base, which comes first, and of methods.

    Args:
        compared: these.
        validation: runs them on the validation images.
        sampled: runs those with the base's trunk on what stands for these without old images.
        logits: `(n, classes)` of the test images, by the models' names.
        test: these.
        data: where they come from.
    """
    models = {}
    for method in compared:
        is_base = method.name == "base"
        chosen_on, held_out = _chosen_on(method, validation, sampled)
        held_out, tested = (
            part._replace(new=part.new if is_base else []) for part in (held_out, test)
        )
        models[method.name] = Entry(
            weights=weights(results.BASE if is_base else results.METHODS / method.name),
            known=known(chosen_on, held_out, logits[method.name], tested),
        )
    return Card(
        source=data.source,
        shape=list(test.inputs.shape[1:]),
        fit=data.fit,
        classes=test.classes,
        new=test.new,
        test_sha256=sha256(test),
        test_images=np.bincount(test.labels, minlength=len(test.classes)).tolist(),
        models=models,
    )


def _chosen_on(
    method: Method, validation: Predictions, sampled: Predictions
) -> tuple[Tensor, Labelled]:
    """The logits of what a method may choose on, and what this is.

    A method without old images chooses on samples of their features, or, if it has changed the
    trunk, on new images alone.
    """
    model = method.model
    if method.facts["original_data"] != "none":
        return validation.logits(model), validation.data
    if sampled.has(model.trunk):
        return sampled.logits(model), sampled.data
    new = validation.data.is_new
    return validation.logits(model)[torch.from_numpy(new)], validation.data.where(new)


def known(validation: Tensor, held_out: Labelled, test: Tensor, tested: Labelled) -> Known:
    """Chooses, on validation data, when the answers of a model that was taught all count.

    Args:
        validation: its logits `(n, classes)` of the validation data.
        held_out: these; `new` has the classes that the model was not taught.
        test: its logits of the test images.
        tested: these.
    """
    taught = torch.from_numpy(~held_out.is_new)
    right = taught & (validation.argmax(1) == torch.from_numpy(held_out.labels))
    score: Any = "softmax"
    if right.any() and not right.all():
        score = Novelty.chosen(validation[None, right], validation[None, ~right]).score
    exact = 0.0  # where no image of a taught class is left, every answer counts
    if taught.any():
        of_taught = novelty.scores(validation[None, taught])[score]
        exact = float(of_taught.quantile(1 - novelty.RECALL, interpolation="lower"))
    # Rounded down, since the file's decimal places are few and softmax is near 1.
    places = 10**artifacts.DIGITS
    threshold = math.floor(exact * places) / places
    passed = (novelty.scores(test[None])[score] >= threshold).numpy()
    return Known(
        score=score,
        threshold=threshold,
        passed=_share(passed[~tested.is_new]),
        passed_others=_share(passed[tested.is_new]),
    )


def _share(passed: npt.NDArray[np.bool_]) -> float | None:
    return float(passed.mean()) if len(passed) else None


def weights(folder: Path) -> str:
    """The SHA-256 of a folder's files of weights, which tells models apart.

    Raises:
        InputError: if there is none.
    """
    files = sorted(folder.rglob("*.safetensors"))
    if not files:
        raise InputError(f"{folder}: no weights; `dvc repro` makes them, `dvc pull` fetches them")
    whole = hashlib.sha256()
    for file in files:
        whole.update(artifacts.load_bytes(file))
    return whole.hexdigest()


def sha256(data: Labelled) -> str:
    """The SHA-256 over the labels and the inputs of images."""
    whole = hashlib.sha256(np.ascontiguousarray(data.labels).data)
    for start in range(0, len(data.labels), CHUNK):
        whole.update(np.ascontiguousarray(data.inputs[start : start + CHUNK]).data)
    return whole.hexdigest()
