"""Figures as text, and tables in Markdown."""

from collections.abc import Mapping, Sequence
from typing import Any

Results = Mapping[str, Any]
"""What a file of `metrics/` holds."""
Table = list[list[str]]
"""Rows of cells, the header first."""


def percent(fraction: float | Mapping[str, float] | None) -> str:
    """A fraction as percent with two decimals, with its interval if there is one; – if unknown."""
    if fraction is None:
        return "–"
    if isinstance(fraction, Mapping):
        return f"{100 * fraction['mean']:.2f} ± {100 * fraction['ci95']:.2f}"
    return f"{100 * fraction:.2f}"


def number(value: float | Mapping[str, float], decimals: int) -> str:
    """A number with its interval if there is one."""
    if isinstance(value, Mapping):
        return f"{value['mean']:.{decimals}f} ± {value['ci95']:.{decimals}f}"
    return f"{value:.{decimals}f}"


def mean(value: float | Mapping[str, float]) -> float:
    """A number, or the mean of several."""
    return value["mean"] if isinstance(value, Mapping) else value


def markdown(rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown, its columns aligned so that it reads as plain text too."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        "| "
        + " | ".join(
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        + " |"
        for row in rows
    ]
    rule = "|" + "|".join(
        "-" * (width + 2) if column == 0 else "-" * (width + 1) + ":"
        for column, width in enumerate(widths)
    )
    return "\n".join([lines[0], f"{rule}|", *lines[1:]])


def fill(text: str, parts: Mapping[str, str]) -> str:
    """Replaces what stands between `<!-- NAME -->` and `<!-- end NAME -->` by the part NAME.

    Parts without markers are left out, and markers without a part keep what they have.
    """
    for name, part in parts.items():
        begin, end = f"<!-- {name} -->", f"<!-- end {name} -->"
        before, _, rest = text.partition(begin)
        _, found, after = rest.partition(end)
        if found:
            text = f"{before}{begin}\n{part}\n{end}{after}"
    return text
