"""The results as text: `python -m pipeline.report` prints them, with a file it fills them in.

A file's generated parts stand between `<!-- NAME -->` and `<!-- end NAME -->`.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeline import artifacts

PUBLISHED = {
    "base": {"accuracy_old": 99.25},
    "replay": {"accuracy": 99.31, "accuracy_new": 99.69},
    "sequential": {"accuracy": 98.22, "accuracy_new": 97.86},
    "lora": {"accuracy": 97.74, "accuracy_new": 96.73},
}
"""Test accuracies of the original systems, percent."""

TITLES = {
    "base": "base (before)",
    "lora": "LoRA",
    "gaussian_lora": "Gaussian LoRA",
    "gaussian_replay": "Gaussian replay",
}


def methods() -> list[list[str]]:
    """The table of the methods, its header first."""
    figures = artifacts.load_json("metrics/evaluate.json")
    rows = [
        [
            "method",
            "all digits, %",
            "new digit, %",
            "old digits, %",
            "forgetting, points",
            "trained parameters",
            "old images used",
            "kept, kB",
            "published: all / new, %",
        ]
    ]
    for name in sorted(figures, key="base".__ne__):
        figure = figures[name]
        published = PUBLISHED.get(name, {})
        rows.append(
            [
                TITLES.get(name, name.replace("_", " ")),
                percent(figure["accuracy"]),
                percent(figure["accuracy_new"]),
                percent(figure["accuracy_old"]),
                f"{100 * figure['forgetting']:.2f}",
                f"{figure['trainable_parameters']:,}",
                "yes" if figure["original_data"] else "no",
                "-" if name == "base" else f"{figure['kept_bytes'] / 1000:,.0f}",
                " / ".join(f"{value:.2f}" for value in published.values())
                + (" (old digits)" if name == "base" else ""),
            ]
        )
    return rows


def transfer() -> list[list[str]]:
    """The table of the shapes, its header first."""
    figures = artifacts.load_json("metrics/transfer.json")
    rows = [["shapes", "accuracy, %", "95 % interval", "macro F1", "loss, nats"]]
    for name, figure in figures.items():
        low, high = figure["accuracy_ci95"]
        rows.append(
            [
                name.replace("_", " "),
                percent(figure["accuracy"]),
                f"{percent(low)}–{percent(high)}",
                f"{figure['f1_macro']:.4f}",
                f"{figure['loss']:.4f}",
            ]
        )
    return rows


def replicates() -> list[list[str]]:
    """The table of the methods over several seeds, its header first."""
    figures = artifacts.load_json("metrics/replicates.json")["evaluate"]
    keys = {
        "accuracy": "all digits, %",
        "accuracy_new": "new digit, %",
        "accuracy_old": "old digits, %",
        "forgetting": "forgetting, points",
    }
    rows = [["method", *keys.values(), "seeds"]]
    for name in sorted(figures, key=lambda name: (name != "base", name)):
        cells = [figures[name][key] for key in keys]
        rows.append(
            [
                TITLES.get(name, name),
                *(f"{percent(cell['mean'])} ± {percent(cell['ci95'])}" for cell in cells),
                str(cells[0]["n"]),
            ]
        )
    return rows


def percent(fraction: float) -> str:
    """A fraction as percent with two decimals."""
    return f"{100 * fraction:.2f}"


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


PARTS: dict[str, Any] = {"methods": methods, "replicates": replicates, "transfer": transfer}


def fill(text: str) -> str:
    """Replaces the generated parts of a text by what the metrics say now."""
    for name, rows in PARTS.items():
        begin, end = f"<!-- {name} -->", f"<!-- end {name} -->"
        before, _, rest = text.partition(begin)
        _, found, after = rest.partition(end)
        if found:
            text = f"{before}{begin}\n{markdown(rows())}\n{end}{after}"
    return text


def main(arguments: Sequence[str]) -> None:
    """Prints all tables, or fills them in a file."""
    if arguments:
        path = Path(arguments[0])
        artifacts.save_bytes(path, fill(artifacts.load_bytes(path).decode()).encode())
        return
    print(markdown(methods()), markdown(transfer()), sep="\n\n")


if __name__ == "__main__":
    main(sys.argv[1:])
