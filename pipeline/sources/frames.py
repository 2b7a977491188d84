"""Tables of CSV and Parquet, some rows at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.core.errors import InputError
from pipeline.sources.messages import readable

if TYPE_CHECKING:
    import pandas as pd

    Frame = pd.DataFrame
else:
    Frame = Any

ENDINGS = (".parquet", ".csv", ".csv.gz")
ROWS = 5_000
"""Rows read at once from CSV, so that memory does not grow with their number."""


def columns(table: Path) -> list[str]:
    """The names of a table's columns.

    Raises:
        InputError: if it can't be read.
    """
    import pandas as pd

    with _readable(table):
        if _is_parquet(table):
            return [str(name) for name in pd.read_parquet(table).columns]
        return [str(name) for name in pd.read_csv(table, nrows=0).columns]


def read(table: Path, text: str = "") -> Iterator[Frame]:
    """Yields a table, or a column of it, some rows at a time; Parquet is in memory as a whole.

    Args:
        table: the file.
        text: the name of the column, which is left as it stands in CSV; all columns if empty.

    Raises:
        InputError: if it can't be read.
    """
    import pandas as pd

    with _readable(table):
        if _is_parquet(table):
            whole = pd.read_parquet(table, columns=[text] if text else None)
            for start in range(0, len(whole), ROWS):
                yield whole.iloc[start : start + ROWS]
        else:
            column: dict[str, Any] = {"usecols": [text], "dtype": str, "keep_default_na": False}
            with pd.read_csv(table, chunksize=ROWS, **column if text else {}) as frames:
                for frame in frames:
                    if not isinstance(frame.index, pd.RangeIndex):
                        raise ValueError("rows have more values than there are columns")
                    yield frame


def _is_parquet(table: Path) -> bool:
    name = table.name.lower()
    if not name.endswith(ENDINGS):
        shown = readable(str(table))
        raise InputError(f"{shown}: a table's name ends in {', '.join(ENDINGS)}")
    return name.endswith(".parquet")


@contextmanager
def _readable(table: Path) -> Iterator[None]:
    """Makes one line of whatever is wrong with a table."""
    shown = readable(str(table))
    try:
        yield
    except ImportError:
        raise InputError(
            f"{shown}: Parquet needs pyarrow, which is not installed; "
            "`uv pip install pyarrow`, or save the table as CSV"
        ) from None
    except (OSError, ValueError, EOFError) as error:
        reason = " ".join(str(error).split())[:160]
        raise InputError(f"{shown}: cannot be read as a table: {reason}") from None
