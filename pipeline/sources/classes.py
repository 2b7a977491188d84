"""The names of classes: their order, and whether each has enough for every part."""

import unicodedata
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from pipeline.core.errors import InputError
from pipeline.sources.messages import counted, listed, refuse

TRAINING, TEST = 2, 1
"""How many of each class the parts need; of the training part, one is held out for validation."""


def named(text: str) -> str:
    """The name of a class: accents are one character, on whatever system they were written."""
    return unicodedata.normalize("NFC", text)


def ordered(names: Iterable[str]) -> list[str]:
    """All names, each once: in numeric order if all are whole numbers, else as text."""
    found = sorted(set(names))
    if all(name.isascii() and name.isdecimal() for name in found):
        found.sort(key=int)
    return found


def enough(
    labels: npt.NDArray[np.int64], classes: Sequence[str], tests: int | None, where: str, noun: str
) -> None:
    """Refuses classes with too little for their parts.

    Where there is an official test part, a class may be in that alone: one whose training images
    are gone.

    Args:
        labels: `(n,)`, those of an official test part last.
        classes: the names of all classes.
        tests: how many belong to an official test part; None if there is none.
        where: they were found, for messages.
        noun: what they are of, as `picture`.

    Raises:
        InputError: naming the classes.
    """
    if not classes:
        raise InputError(f"{where}: no class")
    border = len(labels) - (tests or 0)
    needed = {"": TRAINING + TEST} if tests is None else {"train": TRAINING, "test": TEST}
    problems = []
    for part, least in needed.items():
        of_part = labels[border:] if part == "test" else labels[:border]
        counts = np.bincount(of_part, minlength=len(classes))
        inside = f" in {part}" if part else " (to learn from, for validation, for the test)"
        problems += [
            f"class {name} has {counted(count, noun)}, at least {least} needed{inside}"
            for name, count in zip(classes, counts, strict=True)
            if count < least and (count or part != "train")
        ]
    if problems:
        raise InputError(f"{where}: {listed(problems, '; ')}")


def unambiguous(folders: Iterable[str], where: str) -> None:
    """Refuses folders whose names look the same and differ in how accents are written.

    Raises:
        InputError: naming the class.
    """
    seen: dict[str, str] = {}
    refuse(
        [
            f"{where}: two folders are named {named(folder)}, their accents written differently"
            for folder in folders
            if seen.setdefault(named(folder), folder) != folder
        ]
    )
