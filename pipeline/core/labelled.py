"""Labelled images, or features of them: the one form in which data pass from stage to stage."""

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from pipeline.core import artifacts
from pipeline.core.errors import InputError

KIND = "labelled inputs"
CHUNK = 1000
"""Rows copied at a time, so that memory does not grow with their number."""


class Labelled(NamedTuple):
    """Images, or the features that a trunk made of them, with their classes.

    Attributes:
        inputs: images `(n, channels, height, width)`, uint8, or features `(n, width)`, float32;
            mapped, if they come from a file.
        labels: `(n,)`, int64, indices into `classes`.
        classes: the names of all classes.
        new: the indices of the classes that the base model has never seen.
        advice: what suits the images, where a parameter is `auto`: `trunk`, `augmentation`.
        steps: lists of the new classes, which are learned one after another; empty if all are
            learned together.
    """

    inputs: npt.NDArray[Any]
    labels: npt.NDArray[np.int64]
    classes: list[str]
    new: list[int]
    advice: Mapping[str, Any] = MappingProxyType({})
    steps: Sequence[list[int]] = ()

    def save(self, folder: Path | str, rows: npt.NDArray[np.int64] | None = None) -> None:
        """Saves to a folder: all rows, or some, in the order given."""
        chosen = np.arange(len(self.labels)) if rows is None else rows
        parts = (self.inputs[part] for part in _chunks(chosen))
        self._save(Path(folder), self.labels[chosen], parts)

    def save_transformed(
        self,
        folder: Path | str,
        transform: Callable[[npt.NDArray[Any]], npt.NDArray[np.float32]],
    ) -> None:
        """Saves what a function makes of the inputs, for which it gets some after the other."""
        if not len(self.labels):
            blank = np.zeros((1, *self.inputs.shape[1:]), self.inputs.dtype)
            return self._save(Path(folder), self.labels, iter([transform(blank)[:0]]))
        chunks = _chunks(np.arange(len(self.labels)))
        return self._save(
            Path(folder), self.labels, (transform(self.inputs[part]) for part in chunks)
        )

    def _save(
        self, folder: Path, labels: npt.NDArray[np.int64], parts: Iterator[npt.NDArray[Any]]
    ) -> None:
        first = next(parts, self.inputs[:0])
        shape = (len(labels), *first.shape[1:])
        artifacts.save_rows(folder / "inputs.npy", shape, first.dtype, chain([first], parts))
        artifacts.save_rows(folder / "labels.npy", labels.shape, np.int64, [labels])
        about = {"kind": KIND, "classes": self.classes, "new": self.new, "advice": self.advice}
        if self.steps:
            about["steps"] = self.steps
        artifacts.save_json(folder / "about.json", about)

    @classmethod
    def load(cls, folder: Path | str) -> "Labelled":
        """Maps what `save` saved."""
        folder = Path(folder)
        about = artifacts.load_json(folder / "about.json")
        inputs = artifacts.load_rows(folder / "inputs.npy")
        labels = artifacts.load_rows(folder / "labels.npy")
        if inputs.ndim not in (2, 4) or inputs.dtype not in (np.uint8, np.float32):
            raise InputError(f"{folder / 'inputs.npy'}: holds neither images nor features")
        if labels.shape != (len(inputs),) or labels.dtype != np.int64:
            raise InputError(f"{folder / 'labels.npy'}: is not a label for each of the inputs")
        try:
            assert about["kind"] == KIND
            classes = [str(name) for name in about["classes"]]
            new, steps = list(about["new"]), [list(step) for step in about.get("steps", ())]
            found = cls(inputs, labels, classes, new, dict(about["advice"]), steps)
            known = range(len(classes))
            assert all(label in known for label in (*found.new, *labels[:1]))
            assert not steps or sorted(chain.from_iterable(steps)) == sorted(found.new)
            assert not len(labels) or (labels.min() in known and labels.max() in known)
        except (AssertionError, KeyError, TypeError, ValueError):
            raise InputError(f"{folder / 'about.json'}: does not describe these {KIND}") from None
        return found

    def where(self, chosen: npt.NDArray[Any]) -> "Labelled":
        """The part that a mask or an array of indices chooses."""
        return self._replace(inputs=self.inputs[chosen], labels=self.labels[chosen])

    def only(self, chosen: Sequence[int]) -> "Labelled":
        """The images of some classes alone, which become classes 0, 1, … in the order given."""
        part = self.where(np.isin(self.labels, chosen))
        place = np.full(len(self.classes), -1)
        place[list(chosen)] = np.arange(len(chosen))
        new = [chosen.index(label) for label in self.new if label in chosen]
        classes = [self.classes[label] for label in chosen]
        return part._replace(labels=place[part.labels], classes=classes, new=new, steps=())

    def named(self, classes: Sequence[str]) -> "Labelled":
        """The same with other indices: those of a list that has all of the classes, and more."""
        classes = list(classes)
        place = np.array([classes.index(name) for name in self.classes], np.int64)
        new = sorted(int(place[label]) for label in self.new)
        steps = [[int(place[label]) for label in step] for step in self.steps]
        return self._replace(labels=place[self.labels], classes=classes, new=new, steps=steps)

    def few(self, count: int | None, seed: int) -> "Labelled":
        """At most `count` images of each class, drawn at random, in their order (None: all)."""
        return self.where(few(self.labels, count, seed))

    @property
    def is_new(self) -> npt.NDArray[np.bool_]:
        """Which labels are of new classes: `(n,)`, bool."""
        return np.isin(self.labels, self.new)


def few(labels: npt.NDArray[np.int64], count: int | None, seed: int) -> npt.NDArray[np.int64]:
    """The rows of at most `count` labels of each class, drawn at random, in their order.

    Fewer rows of the same seed are among more of them.
    """
    order = np.random.default_rng(seed).permutation(len(labels))
    of_class = [order[labels[order] == label][:count] for label in np.unique(labels)]
    return np.sort(np.concatenate([order[:0], *of_class]))


def repeated(labels: npt.NDArray[np.int64], count: int) -> npt.NDArray[np.int64]:
    """All rows, followed by those of classes that have fewer than `count`, until they have it."""
    rows = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    again = [np.resize(own, max(0, count - len(own))) for own in rows]
    return np.concatenate([np.arange(len(labels)), *again])


def merge(*parts: Labelled) -> Labelled:
    """Puts parts together, one after the other; classes of the same name are the same."""
    classes = list(dict.fromkeys(name for part in parts for name in part.classes))
    labels = [
        np.array([classes.index(name) for name in part.classes])[part.labels] for part in parts
    ]
    new = {classes.index(part.classes[label]) for part in parts for label in part.new}
    steps = [
        [classes.index(part.classes[label]) for label in step]
        for part in parts
        for step in part.steps
    ]
    return Labelled(
        _joined([part.inputs for part in parts]),
        np.concatenate(labels),
        classes,
        sorted(new),
        parts[0].advice,
        [step for place, step in enumerate(steps) if step not in steps[:place]],
    )


def _joined(parts: Sequence[npt.NDArray[Any]]) -> npt.NDArray[Any]:
    """The rows of several arrays one after the other, mapped from a file without a name."""
    shape = (sum(map(len, parts)), *parts[0].shape[1:])
    if 0 in shape:  # which can't be mapped
        return np.concatenate(parts)
    with tempfile.TemporaryFile() as file:
        joined = np.memmap(file, parts[0].dtype, "w+", shape=shape)
    return np.concatenate(parts, out=joined)


def indices(names: Sequence[str], classes: Sequence[str], key: str) -> list[int]:
    """The places of some classes among all, by their names.

    Args:
        names: of some classes.
        classes: the names of all.
        key: the parameter that names them, for messages.

    Raises:
        InputError: if a class is not there, or named twice.
    """
    if unknown := [name for name in names if name not in classes]:
        hint = closest(unknown[0], classes)
        raise InputError(f"params.yaml: {key} has {unknown[0]}, which is no class; {hint}")
    if twice := [name for name in names if list(names).count(name) > 1]:
        raise InputError(f"params.yaml: {key} names {twice[0]} twice")
    return [list(classes).index(name) for name in names]


def closest(name: str, accepted: Sequence[str]) -> str:
    """What may have been meant by a name that is not accepted."""
    import difflib  # for messages alone

    close = difflib.get_close_matches(name, accepted, n=1)
    return f"did you mean {close[0]}?" if close else f"accepted: {', '.join(accepted)}"


def _chunks(rows: npt.NDArray[np.int64]) -> Iterator[npt.NDArray[np.int64]]:
    for start in range(0, len(rows), CHUNK):
        yield rows[start : start + CHUNK]
