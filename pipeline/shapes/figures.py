"""Pictures of what was learned of shapes."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from pipeline.scoring.names import title
from pipeline.scoring.style import COLOURS, WIDTH, captioned


def few_labels(table: pd.DataFrame) -> Figure:
    """Test accuracy against the number of labelled images, a line per contender.

    Args:
        table: columns contender, labels, accuracy and, of several seeds, its half-width ci95.
    """
    figure, axis = plt.subplots(figsize=(WIDTH, 4))
    for colour, (name, part) in zip(COLOURS, table.groupby("contender", sort=False), strict=False):
        half = 100 * part["ci95"] if "ci95" in part else None
        axis.errorbar(
            part["labels"], 100 * part["accuracy"], half, fmt="o-", capsize=3, color=colour,
            label=title(str(name)),
        )  # fmt: skip
    axis.axhline(95, color="#666666", linestyle="--", linewidth=1)
    axis.set_xscale("log")
    counts = sorted(table["labels"].unique())
    axis.set_xticks(counts, [f"{count}" for count in counts])
    axis.xaxis.set_minor_formatter(NullFormatter())
    axis.set_xlabel("labelled images of each new class (logarithmic)")
    axis.set_ylabel("test accuracy, %")
    axis.legend(loc="lower right")
    return figure


def samples(arrays: Mapping[str, Any], about: Mapping[str, Any]) -> Figure:
    """Some images of every shape, with what they are taken for.

    Args:
        arrays: `images`, `(n, 3, size, size)`, uint8.
        about: `rows`, one an image.
    """
    rows = about["rows"]
    captions = [
        f"{row['predicted']} {row['probability']:.0%}"
        if row["predicted"] == row["likeliest"]
        else f"{row['predicted']}\n({row['likeliest']} {row['probability']:.0%})"
        for row in rows
    ]
    return captioned(arrays["images"], captions, [row["actual"] for row in rows])
