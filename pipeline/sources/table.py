"""A table of features: numbers, and a column that names the class of each row."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pipeline.core.errors import InputError
from pipeline.core.labelled import closest
from pipeline.sources import classes, frames, writing
from pipeline.sources.data import Data
from pipeline.sources.frames import Frame
from pipeline.sources.messages import listed, readable, refuse
from pipeline.sources.places import existing
from pipeline.sources.writing import Gathered

TRUNK = "identity"
LICENCE = "what the owner of the data says"
ADVICE = {
    "trunk": TRUNK,
    "augmentation": {"rotation": 0.0, "scale": 0.0, "translation": 0.0, "mirror": False},
}


def write(data: Data, folder: Path) -> None:
    """Reads the table `data.path`, or `train` and `test` in it, and saves these parts.

    Raises:
        InputError: naming what is wrong with which file, column or row.
    """
    tables = files(data)
    columns = [_numbers(table, data.label) for table in tables]
    if lacking := sorted(set(columns[0]) ^ set(columns[-1])):
        raise InputError(f"{tables[0]} or {tables[-1].name} lacks the columns {listed(lacking)}")
    named = [_names(table, data.label) for table in tables]
    names = classes.ordered(name for some in named for name in some)
    index = {name: label for label, name in enumerate(names)}
    labels = np.array([index[name] for some in named for name in some], np.int64)
    tests = len(named[1]) if len(tables) > 1 else None
    classes.enough(labels, names, tests, readable(data.path), "row")
    rows = (part for table in tables for part in _rows(table, columns[0]))
    gathered = Gathered(
        rows, (len(columns[0]),), np.float32, labels, names, tests, ADVICE, "row {}".format, "row"
    )
    writing.write(gathered, data, folder, strict=False)


def files(data: Data) -> list[Path]:
    """The table, or the tables of the parts `train` and `test`.

    Raises:
        InputError: if there is none.
    """
    place = existing(data.path)
    if place.is_file():
        return [place]
    parts = [
        [file for ending in frames.ENDINGS if (file := place / f"{part}{ending}").is_file()]
        for part in ("train", "test")
    ]
    if not all(len(part) == 1 for part in parts):
        raise InputError(
            f"params.yaml: data.path is {readable(data.path)}, a folder; a table accepted "
            f"({', '.join(frames.ENDINGS)}), or a folder with one named train and one named test"
        )
    return [part[0] for part in parts]


def _numbers(table: Path, label: str) -> list[str]:
    """The names of all columns but that of the classes."""
    columns = frames.columns(table)
    if label not in columns:
        hint = closest(label, columns) if columns else "it has none"
        raise InputError(f"{table}: no column {label}, which data.label names; {hint}")
    if nameless := [n for n, name in enumerate(columns) if name == f"Unnamed: {n}"]:  # by pandas
        raise InputError(
            f"{table}: column {nameless[0] + 1} has no name; every column needs one (pandas writes "
            "its index without, unless index=False)"
        )
    numbers = [name for name in columns if name != label]
    if not numbers:
        raise InputError(f"{table}: no column of numbers beside {label}")
    return numbers


def _names(table: Path, label: str) -> list[str]:
    """The class of each row.

    Raises:
        InputError: if there is no row, or one has no class.
    """
    names: list[str] = []
    nameless: list[str] = []
    for frame in frames.read(table, text=label):
        for value, missing in zip(frame[label].tolist(), frame[label].isna(), strict=True):
            if missing or str(value).strip() == "":
                nameless.append(f"{len(names) + 1:,}")
            whole = isinstance(value, float) and value.is_integer()
            names.append(classes.named(str(int(value) if whole else value).strip()))
    if nameless:
        raise InputError(f"{table}: no class in the column {label} in row {listed(nameless)}")
    if not names:
        raise InputError(f"{table}: no row")
    return names


def _rows(table: Path, columns: list[str]) -> Iterator[npt.NDArray[np.float32]]:
    """Yields the numbers, `(some, width)` at a time.

    Raises:
        InputError: naming the columns that aren't numbers, or the rows that aren't finite.
    """
    start = 0
    problems: list[str] = []
    for frame in frames.read(table):
        ordered = frame[columns]
        if wrong := _no_numbers(ordered):
            raise InputError(f"{table}: no numbers in the column {listed(wrong)}")
        with np.errstate(over="ignore"):  # what is too large is no finite number either
            numbers = ordered.to_numpy(np.float32, na_value=np.nan)
        finite = np.isfinite(numbers)
        problems += [
            f"{table}: no finite number in row {start + row + 1:,}, column "
            f"{columns[finite[row].argmin()]}"
            for row in np.flatnonzero(~finite.all(axis=1))
        ]
        start += len(numbers)
        yield np.where(finite, numbers, 0)
    refuse(problems)


def _no_numbers(frame: Frame) -> list[str]:
    """The columns of another type, each with a value that shows it."""
    wrong = [name for name, kind in frame.dtypes.items() if kind.kind not in "iuf"]
    shown = []
    for name in wrong:
        values = frame[name].dropna()
        if len(values):
            shown.append(f"{name} ({str(values.iloc[0])[:20]!r})")
    return shown
