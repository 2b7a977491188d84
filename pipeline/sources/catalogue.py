"""The sources that the section `data` may name."""

from importlib import import_module
from pathlib import Path

import numpy as np

from pipeline.core.labelled import Labelled
from pipeline.sources.data import Data, Digits, Source

FORM = (1, 28, 28)
"""Channels, height and width of the digits of `mnist` and `digits`."""


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
    found = getattr(import_module(f"pipeline.sources.{source}"), "CLASSES", None)
    return None if found is None else list(found)


def trunk(source: Source) -> str:
    """The network that `auto` means for a source."""
    found: str = import_module(f"pipeline.sources.{source}").TRUNK
    return found


def licence(source: Source) -> str:
    """The licence of a source's images."""
    found: str = import_module(f"pipeline.sources.{source}").LICENCE
    return found


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
