"""Pictures in folders that name their classes."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pipeline.core.errors import InputError
from pipeline.sources import classes
from pipeline.sources.decoding import Picture
from pipeline.sources.messages import is_text, listed, readable, refuse, say
from pipeline.sources.pictures import EXTENSIONS

PARTS = frozenset(("train", "training", "val", "valid", "validation", "test", "testing"))
KNOWN = frozenset(
    ("thumbs.db", "ehthumbs.db", "desktop.ini", "readme", "readme.md", "readme.txt", "license")
)
"""Files that are no pictures and need no mention."""
FOREIGN = frozenset(("__macosx", "@eadir"))
"""Folders that systems leave behind."""


class Tree(NamedTuple):
    """Pictures with their classes, in order; those of an official test part come last.

    Attributes:
        pictures: in order of their part, their class and their path.
        labels: `(n,)`, indices into `classes`.
        classes: the names of all classes.
        tests: how many are in the official test part; None if there is none.
    """

    pictures: list[Picture]
    labels: npt.NDArray[np.int64]
    classes: list[str]
    tests: int | None


def arranged(found: Sequence[Picture], official: bool, where: str) -> Tree:
    """Puts pictures in order, and names their classes.

    Args:
        found: pictures named `CLASS/…`, or `train/CLASS/…` and `test/CLASS/…`.
        official: whether there are such parts.
        where: they were found, for messages.

    Raises:
        InputError: if there are too few classes, or too few pictures of one.
    """
    level = 1 if official else 0
    folders = [picture.name.split("/")[level] for picture in found]
    classes.unambiguous(folders, where)
    names = classes.ordered(classes.named(folder) for folder in folders)
    index = {name: label for label, name in enumerate(names)}
    keyed = sorted(
        (official and picture.name.startswith("test/"), index[classes.named(folder)], picture)
        for folder, picture in zip(folders, found, strict=True)
    )
    labels = np.array([label for _, label, _ in keyed], np.int64)
    tests = sum(test for test, _, _ in keyed) if official else None
    classes.enough(labels, names, tests, where, "picture")
    return Tree([picture for _, _, picture in keyed], labels, names, tests)


def pictures(root: Path) -> tuple[list[Picture], bool]:
    """Finds the pictures below a folder, and whether it has official parts `train` and `test`.

    Hidden files and what systems leave are passed over; other files are counted, which is said.

    Raises:
        InputError: naming classes without pictures, links that leave the folder, names that are no
            valid text.
    """
    walk = _Walk(root)
    inside = walk.folders(root)
    official = {"train", "test"} <= set(inside) and bool(walk.folders(root / "train"))
    only_parts = PARTS.issuperset(name.lower() for name in inside)
    if not official and inside and only_parts and walk.folders(root / inside[0]):
        raise InputError(
            f"{readable(str(root))}: has {listed(inside)}; parts must be named train and test, or "
            "data.path must name the folder that holds the classes"
        )
    found: list[Picture] = []
    for part in ("train", "test") if official else ("",):
        if official and not walk.folders(root / part):
            raise InputError(f"{root / part}: no folder of a class")
        walk.loose(root / part)
        for name in walk.folders(root / part):
            before = len(found), len(walk.problems)
            found += walk.pictures(root / part / name, (root.resolve(),))
            if before == (len(found), len(walk.problems)):
                walk.problems.append(f"{walk.name(root / part / name)}: no picture in it")
    if official:
        walk.other += [f"{name}/" for name in inside if name not in ("train", "test")]
    refuse(walk.problems)
    if walk.other:
        shown = f"{len(walk.other):,} passed over that are no pictures of a class"
        say(f"{readable(str(root))}: {shown}: {listed(walk.other)}")
    return found, official


class _Walk:
    """A walk below a folder, and what it met.

    Attributes:
        problems: what is refused.
        other: files that are no pictures.
    """

    def __init__(self, root: Path):
        self.root = root
        self.problems: list[str] = []
        self.other: list[str] = []

    def name(self, path: Path) -> str:
        """A path below the root, with slashes."""
        return path.relative_to(self.root).as_posix()

    def folders(self, folder: Path) -> list[str]:
        """The names of the folders in one that may be classes."""
        return [
            entry.name
            for entry in _entries(folder)
            if entry.is_dir() and entry.name.lower() not in FOREIGN
        ]

    def loose(self, folder: Path) -> None:
        """Notes the files that stand beside the classes."""
        self.other += [self.name(Path(entry)) for entry in _entries(folder) if entry.is_file()]

    def pictures(self, folder: Path, above: tuple[Path, ...]) -> Iterator[Picture]:
        """The pictures in a folder and below.

        Args:
            folder: where to look.
            above: the real folders that lead there from the root.
        """
        if problem := self._wrong(folder, above):
            self.problems.append(f"{self.name(folder)}: {problem}")
            return
        for entry in _entries(folder):
            path = Path(entry)
            if entry.is_dir():
                if entry.name.lower() not in FOREIGN:
                    yield from self.pictures(path, (*above, folder.resolve()))
            elif problem := self._wrong(path, above):
                self.problems.append(f"{self.name(path)}: {problem}")
            elif path.suffix.lower() in EXTENSIONS and entry.is_file():
                yield Picture(self.name(path), str(path))
            else:
                self.other.append(self.name(path))

    def _wrong(self, path: Path, above: tuple[Path, ...]) -> str:
        """What is wrong with a path, if anything."""
        if not is_text(path.name):
            return "a name that is no valid text"
        if path.is_symlink():
            real = path.resolve()
            if not real.exists():
                return "a link to nothing"
            if not real.is_relative_to(above[0]):
                return "a link that leaves the folder"
            if real in above:
                return "a link to a folder that it is in"
        return ""


def _entries(folder: Path) -> list["os.DirEntry[str]"]:
    """What is in a folder, in order, but for what is hidden or known to be no picture."""
    try:
        with os.scandir(folder) as entries:
            shown = [e for e in entries if not e.name.startswith(".")]
    except OSError as error:
        raise InputError(f"{readable(str(folder))}: cannot be read: {error.strerror}") from None
    return sorted((e for e in shown if e.name.lower() not in KNOWN), key=lambda e: e.name)
