"""Rows from any source, looked through for copies, parted and saved."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from pipeline.core import artifacts
from pipeline.core.labelled import Labelled
from pipeline.sources import parts
from pipeline.sources.data import Data
from pipeline.sources.messages import counted, refuse, say


class Gathered(NamedTuple):
    """Labelled rows that a source yields one after the other.

    Attributes:
        rows: parts of all rows, in their order.
        shape: of a single row.
        dtype: uint8 of pictures, float32 of other numbers.
        labels: `(n,)`, indices into `classes`; those of an official test part come last.
        classes: the names of all classes.
        tests: how many rows are the official test part; None if there is none.
        advice: what suits the rows, where a parameter is `auto`.
        name: of a row, for messages.
        noun: what a row is.
    """

    rows: Iterable[npt.NDArray[Any]]
    shape: tuple[int, ...]
    dtype: npt.DTypeLike
    labels: npt.NDArray[np.int64]
    classes: list[str]
    tests: int | None
    advice: Mapping[str, Any]
    name: Callable[[int], str]
    noun: str = "picture"


def write(gathered: Gathered, data: Data, folder: Path, strict: bool) -> None:
    """Saves the parts `train` and `test`.

    An official test part stays as it is. Another is a share of every class, and copies of a row
    are on its side. How many copies there are is said.

    Args:
        gathered: what a source yields.
        data: the share and the seed of the partition.
        folder: for the two parts.
        strict: refuse a row that two classes have, rather than count it.

    Raises:
        InputError: if the rows can't be had, or a class has too few that differ.
    """
    labels, classes = gathered.labels, gathered.classes
    # The parts are known when all rows are: until then they are beside their place.
    whole = folder / "train/.rows.npy"
    try:
        shape = (len(labels), *gathered.shape)
        artifacts.save_rows(whole, shape, gathered.dtype, gathered.rows)
        rows = artifacts.load_rows(whole)
        keys = parts.keys(rows)
        _look_through(gathered, parts.firsts(keys), strict)
        if gathered.tests is None:
            train, test = parts.stratified(labels, keys, data.test, data.seed, classes)
        else:
            train, test = np.split(np.arange(len(labels)), [len(labels) - gathered.tests])
        everything = Labelled(rows, labels, classes, [], gathered.advice)
        everything.save(folder / "train", train)
        everything.save(folder / "test", test)
    finally:
        whole.unlink(missing_ok=True)


def _look_through(gathered: Gathered, first: npt.NDArray[np.int64], strict: bool) -> None:
    """Says which rows are copies of a first one, and refuses or counts those of two classes."""
    labels, noun = gathered.labels, gathered.noun
    copies = np.flatnonzero(first != np.arange(len(first)))
    doubtful = copies[labels[copies] != labels[first[copies]]]
    if strict:
        refuse(
            [
                f"{gathered.name(first[row])} and {gathered.name(row)} are the same {noun} "
                "in two classes"
                for row in doubtful
            ]
        )
    if len(copies):
        border = len(labels) - (gathered.tests or 0)
        across = np.isin(first[border:], first[:border]).sum() if gathered.tests else 0
        kept = (
            "copies are on the same side of the split"
            if gathered.tests is None
            else f"{across:,} of the test part are in the training part too, which is left so"
        )
        twice = f"; {len(doubtful):,} have another class than the first" if len(doubtful) else ""
        say(f"{counted(len(copies), 'copy', 'copies')} of a {noun}: {kept}{twice}")
