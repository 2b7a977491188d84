"""The picture of studies in which methods are held against a parameter."""

from itertools import cycle
from typing import Any

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from pipeline.new_class.held_against import MEASURES, amount, names
from pipeline.scoring.names import title
from pipeline.scoring.style import COLOURS, WIDTH
from pipeline.scoring.tables import Results


def curves(study: Results) -> Figure:
    """Accuracy on all classes, and on the new one, of every method, with intervals.

    Along the axis are the values, with a column of panels for each case; or, where there are more
    cases than values, the other way round.

    Args:
        study: the content of the study's file.
    """
    cases, values = study["cases"], study["values"]
    by_value = len(values) >= len(cases)
    columns, places = (cases, values) if by_value else (values, cases)
    figure, axes = plt.subplots(
        2, len(columns), figsize=(WIDTH, 7), squeeze=False, sharex=True, sharey="row"
    )
    for axis, column in zip(axes[0], columns, strict=True):
        axis.set_title(title(column) if by_value else f"{amount(column)} images", size=10)
    for row, (key, meaning) in zip(axes, MEASURES.items(), strict=True):
        row[0].set_ylabel(f"test accuracy, {meaning}, %")
        lines = zip(names(study), cycle(COLOURS), cycle(["-"] * 8 + ["--"] * 8), strict=False)
        for index, (name, colour, line) in enumerate(lines):
            aside = 0.04 * (index - (len(names(study)) - 1) / 2)  # so that none hides another
            for axis, column in zip(row, columns, strict=True):
                pairs = [(column, place) if by_value else (place, column) for place in places]
                found = [
                    study["summary"][case][value]["new_class"][name][key] for case, value in pairs
                ]
                axis.errorbar(
                    np.arange(len(places)) + aside,
                    [100 * figure["mean"] for figure in found],
                    [100 * figure["ci95"] for figure in found],
                    fmt=f"o{line}" if by_value else "o", color=colour, markersize=4,
                    linewidth=1, elinewidth=0.7, label=title(name),
                )  # fmt: skip
    for axis in axes[-1]:
        axis.set_xticks(range(len(places)), [amount(place) for place in places])
        axis.set_xlabel("images of the new class" if by_value else "the new class")
    for row in axes:
        row[0].set_ylim(*_limits(row))
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=5)
    return figure


def _limits(row: Any) -> tuple[float, float]:
    """Of what is shown in percent, to see what is near 100 although some are far below."""
    means = np.concatenate(
        [container[0].get_ydata() for axis in row for container in axis.containers]
    )
    low = float(np.percentile(means, 20))
    return max(0.0, low - 0.5 * (100 - low)), 100 + 0.05 * (100 - low)
