"""The section `data`, and the sources that it may name."""

from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, field_validator

from pipeline.core.labelled import Labelled
from pipeline.core.params import Section, Seed

Digits = Literal["mnist", "digits"]
"""Sources whose images are digits of one form."""
Source = Literal[Digits, "sign_language", "cifar10", "folder", "table"]
FORM = (1, 28, 28)
"""Channels, height and width of those digits."""
SIZES = range(8, 1025)
"""Pixels a side."""


def _size(value: Any) -> Any:
    if value == "auto" or (type(value) is int and value in SIZES):
        return value
    raise ValueError(f"auto or a whole number from {SIZES[0]} to {SIZES[-1]} accepted")


def _channels(value: Any) -> Any:
    if value == "auto" or (type(value) is int and value in (1, 3)):
        return value
    raise ValueError("auto, 1 (grey) or 3 (colours) accepted")


def _path(value: str) -> str:
    if value.startswith("~"):
        raise ValueError(f"~ is not expanded by DVC; write {Path.home()}{value[1:]} or the like")
    return value


class Data(Section):
    """Where images come from, and the form that they are brought to.

    `path` is where `folder` and `table` find theirs. `test` is the share held out by `seed` where a
    source has no test part, `label` the column of a table with the classes. `size` (pixels a side)
    and `channels` are the source's own if they are `auto`; `fit` cuts the middle out of pictures
    that are no squares, or pads them.
    """

    source: Source
    path: Annotated[str, Field(min_length=1), AfterValidator(_path)]
    test: float = Field(gt=0, lt=1)
    seed: Seed
    label: str = Field(min_length=1)
    size: Annotated[int | Literal["auto"], BeforeValidator(_size)]
    channels: Annotated[Literal["auto", 1, 3], BeforeValidator(_channels)]
    fit: Literal["crop", "pad"]

    @field_validator("size", "channels")
    @classmethod
    def _of_pictures(cls, value: Any, info: ValidationInfo) -> Any:
        if info.data.get("source") == "table" and value != "auto":
            raise ValueError("a table has no pictures; auto accepted")
        return value


def write(data: Data, folder: Path) -> None:
    """Obtains the images of a source, and saves the parts `train` and `test`.

    Raises:
        InputError: if they can't be had, or aren't what the source promises.
    """
    match data.source:
        case "mnist" | "digits":
            for part, images in zip(("train", "test"), load(data.source), strict=True):
                _formed(images, data).save(folder / part)
        case _:
            import_module(f"pipeline.sources.{data.source}").write(data, folder)


def load(source: Digits) -> tuple[Labelled, Labelled]:
    """Obtains the training and the test images of a source of digits, `(n, 1, 28, 28)`, uint8.

    Raises:
        InputError: if they can't be had, or aren't what the source promises.
    """
    parts: tuple[Labelled, Labelled] = import_module(f"pipeline.sources.{source}").load()
    return parts


def classes(source: Source) -> list[str] | None:
    """The classes of a source, or None if they are the user's own."""
    match source:
        case "folder" | "table":
            return None
        case "cifar10":
            return list(import_module("pipeline.sources.cifar10").CLASSES)
        case _:
            return [str(digit) for digit in range(10)]


def trunk(source: Source) -> str:
    """The network that `auto` means for a source."""
    match source:
        case "mnist" | "digits":
            return "cnn"
        case "table":
            return "identity"
        case _:
            return "residual"


def _formed(images: Labelled, data: Data) -> Labelled:
    """Digits in the form that the parameters name."""
    channels = FORM[0] if data.channels == "auto" else data.channels
    size = FORM[1] if data.size == "auto" else data.size
    if (channels, size, size) == FORM:
        return images
    from pipeline.sources import pictures  # most need no other form

    inputs = np.empty((len(images.labels), channels, size, size), np.uint8)
    for row, image in zip(inputs, images.inputs, strict=True):
        row[:] = pictures.resized(image, size, channels, data.fit)
    return images._replace(inputs=inputs)
