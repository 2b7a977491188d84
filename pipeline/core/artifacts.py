"""The only door to disk: tensors, arrays, metrics, tables and pictures, each whole or not there.

What saves raises `InputError` if a file can't be written (the disk is full, read-only or out of
reach), what loads if one is missing, damaged or of another kind; no other docstring repeats it.
"""

import csv
import io
import json
import math
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tokenize import TokenError
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

import numpy as np
import numpy.typing as npt
import safetensors
import safetensors.numpy

from pipeline.core.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

DIGITS = 6
"""Decimal places of every figure in a metrics file or table."""

NAMES = dict.fromkeys(("actual", "predicted", "class", "classes", "method", "contender"), str)
"""Columns of tables that hold names, be they numbers or empty words elsewhere."""


Records = list[dict[str, Any]]
"""The rows of a table, as values by the names of columns."""


class Tensors(NamedTuple):
    """Named arrays, and what is to be known about them."""

    arrays: dict[str, npt.NDArray[Any]]
    about: dict[str, Any]


def save_bytes(path: Path | str, content: bytes) -> None:
    """Writes a file in one step: a reader sees the old content or the new, never a part."""
    with _replacement(Path(path)) as file:
        file.write(content)


@contextmanager
def _replacement(path: Path) -> Iterator[BinaryIO]:
    """A file to write, which takes the place of another when it is finished."""
    temporary: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        temporary = Path(name)
        with os.fdopen(handle, "wb") as file:
            yield file
        temporary.chmod(0o644)
        temporary.replace(path)
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror}") from None
    finally:
        if temporary:
            temporary.unlink(missing_ok=True)


def load_bytes(path: Path | str) -> bytes:
    """Reads a file."""
    try:
        return Path(path).read_bytes()
    except FileNotFoundError:
        message = f"{path}: not found; `dvc repro` makes it, `dvc checkout` restores it"
        raise InputError(message) from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None


def save_rows(
    path: Path | str, shape: Sequence[int], dtype: npt.DTypeLike, parts: Iterable[npt.NDArray[Any]]
) -> None:
    """Saves an array as `.npy`, part by part, so that it need not be in memory as a whole.

    Args:
        path: the file.
        shape: of the whole array; its first dimension is that of all parts together.
        dtype: of the array.
        parts: rows, in their order.
    """
    with _replacement(Path(path)) as file:
        header = {
            "descr": np.lib.format.dtype_to_descr(np.dtype(dtype)),
            "fortran_order": False,
            "shape": tuple(shape),
        }
        np.lib.format.write_array_header_1_0(file, header)
        rows = 0
        for part in parts:
            _finite(path, {"it": np.asarray(part)}, "and is not written")
            file.write(np.ascontiguousarray(part, dtype).data)
            rows += len(part)
        assert rows == shape[0], f"{path}: {rows} rows, but {shape[0]} announced"


def load_rows(path: Path | str) -> npt.NDArray[Any]:
    """Maps an array that `save_rows` saved: its pages are read when they are used.

    A change of the array stays in this process; the file is never written.
    """
    try:
        array = np.load(path, mmap_mode="c", allow_pickle=False)
        if not isinstance(array, np.memmap):
            raise ValueError("an archive of arrays")
        return array
    except FileNotFoundError:
        message = f"{path}: not found; `dvc repro` makes it, `dvc checkout` restores it"
        raise InputError(message) from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    except (ValueError, EOFError, SyntaxError, TypeError, TokenError, MemoryError) as error:
        problem = " ".join(str(error).split())[:160]
        raise InputError(f"{path}: cut short, or not an array: {problem}") from None


def save_tensors(
    path: Path | str, arrays: Mapping[str, npt.ArrayLike], about: Mapping[str, Any]
) -> None:
    """Saves named arrays (or CPU tensors) as safetensors, with a description.

    Args:
        path: the file.
        arrays: what to save.
        about: any JSON value; `kind` says what sort of file this is.
    """
    save_bytes(path, tensors_as_bytes(path, arrays, about))


def tensors_as_bytes(
    path: Path | str, arrays: Mapping[str, npt.ArrayLike], about: Mapping[str, Any]
) -> bytes:
    """What `save_tensors` writes, for a file that goes elsewhere; `path` names it in messages."""
    # The header's order of several metadata keys varies from run to run, so there is but one.
    metadata = {"about": json.dumps(dict(about), sort_keys=True)}
    contiguous = {name: np.asarray(array, order="C") for name, array in sorted(arrays.items())}
    _finite(path, contiguous, "and is not written")
    return safetensors.numpy.save(contiguous, metadata)


def load_tensors(path: Path | str, kind: str) -> Tensors:
    """Loads what `save_tensors` saved.

    Args:
        path: the file.
        kind: the sort of file expected.
    """
    return tensors_from_bytes(path, load_bytes(path), kind)


def tensors_from_bytes(path: Path | str, content: bytes, kind: str) -> Tensors:
    """Reads the content of such a file; `path` names it in messages."""
    try:
        arrays = safetensors.numpy.load(content)
        size = int.from_bytes(content[:8], "little")
        about = json.loads(json.loads(content[8 : 8 + size])["__metadata__"]["about"])
    except (safetensors.SafetensorError, ValueError, KeyError) as error:
        raise InputError(f"{path}: cut short, or not a safetensors file: {error}") from None
    if not isinstance(about, dict) or about.get("kind") != kind:
        found = about.get("kind") if isinstance(about, dict) else "something else"
        raise InputError(f"{path}: holds {found}; {kind} accepted")
    _finite(path, arrays, "and is not used")
    return Tensors(arrays, about)


def _finite(path: Path | str, arrays: Mapping[str, npt.NDArray[Any]], end: str) -> None:
    for name, array in arrays.items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise InputError(f"{path}: {name} has numbers that are not finite, {end}")


def save_json(path: Path | str, content: Any) -> None:
    """Saves JSON with sorted keys and rounded figures."""
    try:
        text = json.dumps(_rounded(content), indent=2, sort_keys=True, allow_nan=False)
    except ValueError:
        raise InputError(f"{path}: a figure is infinite, and not written") from None
    save_bytes(path, f"{text}\n".encode())


def load_json(path: Path | str) -> Any:
    """Loads a JSON file."""
    try:
        return json.loads(load_bytes(path))
    except ValueError as error:
        raise InputError(f"{path}: not JSON: {error}") from None


def save_table(path: Path | str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Saves rows as CSV, figures rounded, columns in the order of their first appearance."""
    columns = list(dict.fromkeys(column for row in rows for column in row))
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, lineterminator="\n", restval="")
    writer.writeheader()
    writer.writerows(_rounded(row) for row in rows)
    save_bytes(path, text.getvalue().encode())


def load_table(path: Path | str) -> "pd.DataFrame":
    """Loads a CSV file."""
    import pandas as pd  # takes a second, and most stages only write tables

    try:
        return pd.read_csv(
            io.BytesIO(load_bytes(path)), dtype=NAMES, keep_default_na=False, na_values=[""]
        )
    except pd.errors.EmptyDataError:
        return pd.DataFrame()
    except ValueError as error:
        raise InputError(f"{path}: not a CSV table: {error}") from None


def load_records(path: Path | str) -> Records:
    """Loads a CSV file as rows, its figures as numbers."""
    return [
        {str(key): value for key, value in row.items()}
        for row in load_table(path).to_dict("records")
    ]


def load_tables(folder: Path | str) -> "pd.DataFrame":
    """Loads all CSV files of a folder as one table, their names in the column `name`."""
    import pandas as pd

    parts = [load_table(file).assign(name=file.stem) for file in sorted(Path(folder).glob("*.csv"))]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def _rounded(value: Any) -> Any:
    match value:
        case bool() | np.bool_():
            return bool(value)
        case float() | np.floating():
            number = float(value)
            return None if math.isnan(number) else round(number, DIGITS) + 0.0
        case np.integer():
            return int(value)
        case Mapping():
            return {str(key): _rounded(item) for key, item in value.items()}
        case list() | tuple():
            return [_rounded(item) for item in value]
        case _:
            return value
