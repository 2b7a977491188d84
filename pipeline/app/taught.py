"""A class of one's own: a row beside the base's, learned from a few pictures, as a small file."""

from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Annotated, Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from torch import Tensor

from pipeline.app.models import Answer, Predictor, answers
from pipeline.core import artifacts
from pipeline.core.errors import InputError
from pipeline.core.labelled import Labelled
from pipeline.core.seeding import derive
from pipeline.learning import augmentation, rows
from pipeline.learning.rows import Row
from pipeline.new_class import results
from pipeline.techniques.statistics import new_row
from pipeline.techniques.statistics.gaussians import Gaussians
from pipeline.techniques.statistics.new_row import NewRow

LONGEST = 40
"""Characters that a class's name may have."""
_SEEDED = Lock()
"""Held while a class is learned: PyTorch's generator is one for all threads."""


Number = Annotated[int, Field(ge=0, strict=True)]


class _Counts(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Old(_Counts):
    """Validation images of old classes, those that the base has right, and those of them lost."""

    images: Number
    right: Number
    lost: Number


class New(_Counts):
    """Validation images of the class itself, and those of them that are found."""

    images: Number
    found: Number


class Figures(_Counts):
    """What was measured when a class was learned.

    Attributes:
        examples: pictures that it was learned from.
        old: of all old classes.
        by_class: of each, by its name.
        new: None if the validation images have none of the class.
    """

    examples: Number
    old: Old
    by_class: dict[str, Old]
    new: New | None


class Kept(NamedTuple):
    """What is there of the old classes when a class is taught.

    Attributes:
        gaussians: the stored statistics.
        validation: features of images that no model was trained on, of all classes.
    """

    gaussians: Gaussians
    validation: Labelled

    @classmethod
    def load(cls) -> "Kept":
        """Loads what the run has left."""
        return cls(
            Gaussians.load(results.GAUSSIANS),
            results.validation("features"),
        )


@dataclass(frozen=True)
class Taught:
    """A class that the base was taught.

    Attributes:
        name: of the class.
        row: its logit, from the trunk's features.
        base: the SHA-256 of the base that it was learned on.
        figures: what was measured then.
    """

    name: str
    row: Row
    base: str
    figures: Figures

    def to_bytes(self) -> bytes:
        """The content of a safetensors file that holds the class."""
        told = self.figures.model_dump()
        arrays = {"weight": self.row.weight, "bias": torch.tensor([self.row.bias])}
        about = {"kind": rows.KIND, "class": self.name, "base": self.base}
        return artifacts.tensors_as_bytes(self.name, arrays, about | {"figures": told})

    @classmethod
    def from_bytes(cls, content: bytes, base: Predictor, file: str = "the file") -> "Taught":
        """Reads what `to_bytes` gave.

        Raises:
            InputError: naming the file, if it is none, or belongs to another base.
        """
        arrays, about = artifacts.tensors_from_bytes(file, content, rows.KIND)
        if about.get("base") != _hash(base):
            raise InputError(f"{file}: its class was learned on another base than the one here")
        shapes = {name: (array.shape, str(array.dtype)) for name, array in arrays.items()}
        try:
            assert shapes == {"weight": ((_width(base),), "float32"), "bias": ((1,), "float32")}
            figures = Figures.model_validate(about.get("figures"))
        except (AssertionError, ValidationError):
            raise InputError(f"{file}: not a class of this version") from None
        name = checked(about.get("class"), base)
        row = Row(torch.from_numpy(arrays["weight"]), float(arrays["bias"][0]))
        return cls(name, row, about["base"], figures)

    def logits(self, base: Predictor, images: npt.NDArray[np.uint8]) -> Tensor:
        """Of images `(n, channels, size, size)`: `(n, old + 1)`, the old ones as the base's."""
        features = base.features(images)
        return rows.appended(base.logits(images)[:, old(base)], self.row, features)

    def answers(self, base: Predictor, images: npt.NDArray[np.uint8]) -> list[Answer]:
        """The answers for images, among the old classes and this one."""
        names = [*(base.classes[place] for place in old(base)), self.name]
        return answers(self.logits(base, images), names, base.card.models["base"].known)


def teach(
    base: Predictor,
    images: Sequence[npt.NDArray[np.uint8]],
    name: str,
    kept: Kept,
    settings: NewRow,
    seed: int,
) -> Taught:
    """Learns a class from one picture or more.

    Args:
        base: what it is taught.
        images: of the class, each `(channels, size, size)`.
        name: of the class.
        kept: of the old classes.
        settings: how it is learned.
        seed: the pipeline's.

    Raises:
        InputError: if the name is none, or that of an old class; or nothing was kept of these.
    """
    name = checked(name, base)
    if not len(kept.gaussians.labels):
        raise InputError(
            f"{results.GAUSSIANS}: has statistics of no class; a class is learned beside those of "
            "old ones, from their images or a gaussians.safetensors in network.path"
        )
    inputs = torch.from_numpy(np.stack(images))
    augment = augmentation.chosen(settings.augmentation, kept.validation)
    with _SEEDED:
        torch.manual_seed(derive(seed, "taught"))
        features = new_row.variants(base.model.trunk, inputs, augment, settings.variants)
        row = new_row.learn(
            lambda values: base.model.head(values)[:, old(base)],
            kept.gaussians,
            features,
            len(images),
            settings,
            derive(seed, "taught", "row"),
        )
    figures = cost(base, row, name, kept.validation, examples=len(images))
    return Taught(name, row, _hash(base), figures)


def cost(base: Predictor, row: Row, name: str, validation: Labelled, examples: int) -> Figures:
    """Counts what a class of one's own does to the validation images, given by their features."""
    places = old(base)
    features = torch.from_numpy(np.asarray(validation.inputs))
    with torch.inference_mode():
        logits = base.model.head(features)[:, places]
        answers = rows.appended(logits, row, features).argmax(1).numpy()
    right = np.array(places)[logits.argmax(1).numpy()] == validation.labels
    taken = answers == len(places)
    by_class = {}
    for place in places:
        of_class = validation.labels == place
        by_class[base.classes[place]] = Old(
            images=of_class.sum().item(),
            right=(of_class & right).sum().item(),
            lost=(of_class & right & taken).sum().item(),
        )
    total = {
        key: sum(getattr(each, key) for each in by_class.values())
        for key in ("images", "right", "lost")
    }
    own = validation.labels == (base.classes.index(name) if name in base.classes else -1)
    new = New(images=own.sum().item(), found=(own & taken).sum().item()) if own.any() else None
    return Figures(examples=examples, old=Old(**total), by_class=by_class, new=new)


def checked(name: Any, base: Predictor) -> str:
    """The name of a class of one's own, without spaces around it.

    Raises:
        InputError: if it is none, too long, or that of an old class.
    """
    given = " ".join(name.split()) if isinstance(name, str) else ""
    if not given or len(given) > LONGEST or not given.isprintable():
        raise InputError(f"the name of a class has 1 to {LONGEST} printable characters")
    if given in [base.classes[place] for place in old(base)]:
        raise InputError(f"{given} is a class that the base knows; take another name")
    return given


def old(base: Predictor) -> list[int]:
    """The indices of the classes that the base was taught."""
    return [place for place in range(len(base.classes)) if place not in base.new]


def _hash(base: Predictor) -> str:
    """The SHA-256 of a base's weights: the row is measured against the logits of its head too."""
    return base.card.models["base"].weights


def _width(base: Predictor) -> int:
    """The width of the trunk's features."""
    empty = np.zeros((1, base.channels, base.size, base.size), np.uint8)
    return base.features(empty).shape[1]
