"""Pictures of the user's own: one folder a class, or `train` and `test` with such folders."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.core.errors import InputError
from pipeline.sources import decoding, tree, writing
from pipeline.sources.data import Data
from pipeline.sources.decoding import Form, Picture
from pipeline.sources.messages import readable
from pipeline.sources.places import WHOLE, existing, in_copy
from pipeline.sources.writing import Gathered

TRUNK = "residual"
LICENCE = "what the owner of the data says"
SMALL, MEDIUM = 32, 64
"""Pixels a side that `auto` chooses from."""
BORDER = 48
"""Pixels of a middling picture's smaller side from which on it is no small one."""


STILL = 16
"""A picture is moved by up to a sixteenth of its side to show another."""


def write(data: Data, folder: Path) -> None:
    """Decodes the pictures in `data.path`, and saves the parts `train` and `test`.

    Raises:
        InputError: naming what is wrong with which files.
    """
    root = existing(data.path)
    if not root.is_dir():
        raise InputError(f"params.yaml: data.path is {data.path}, a file; a folder accepted")
    pictures, official = tree.pictures(root)
    if not pictures:
        remedy = "put one folder of pictures a class there, or set data.path"
        if in_copy():
            remedy = f"this copy for an experiment has what git or DVC tracks alone: {WHOLE}"
        raise InputError(f"{readable(data.path)}: no class; {remedy}")
    form = chosen(pictures, data)
    moved = {"rotation": 0.1, "scale": 0.15, "translation": form.size / STILL, "mirror": False}
    advice = {"trunk": TRUNK, "augmentation": moved}
    save(pictures, official, data.path, form, advice, data, folder, strict=True)


def save(
    found: list[Picture],
    official: bool,
    where: str,
    form: Form,
    advice: Mapping[str, Any],
    data: Data,
    folder: Path,
    strict: bool,
) -> None:
    """Decodes pictures, and saves the parts `train` and `test`.

    Args:
        found: pictures named `CLASS/…`, or `train/CLASS/…` and `test/CLASS/…`.
        official: whether there are such parts.
        where: they were found, for messages.
        form: to bring them to.
        advice: what suits them, where a parameter is `auto`.
        data: the share and the seed of the partition.
        folder: for the two parts.
        strict: refuse a picture that two classes have, rather than count it.

    Raises:
        InputError: naming what is wrong with which pictures.
    """
    pictures, labels, classes, tests = tree.arranged(found, official, where)
    rows = decoding.decoded(pictures, form)
    gathered = Gathered(
        rows, form.shape, np.uint8, labels, classes, tests, advice, lambda row: pictures[row].name
    )
    writing.write(gathered, data, folder, strict)


def chosen(found: list[Picture], data: Data) -> Form:
    """The form that the parameters name, or that suits the pictures."""
    size, channels = data.size, data.channels
    if size == "auto" or channels == "auto":
        headers = decoding.headers(found)
        if size == "auto":
            sides = [header.side for header in headers]
            size = SMALL if not sides or np.median(sides) < BORDER else MEDIUM
        if channels == "auto":
            channels = 1 if headers and all(header.grey for header in headers) else 3
    return Form(size, channels, data.fit)
