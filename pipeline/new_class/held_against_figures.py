"""Pictures of studies in which methods are held against a parameter, or by cases."""

from itertools import cycle
from typing import Any

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from pipeline.new_class.held_against import MEASURES, amount, names, varied, varies
from pipeline.scoring.names import title
from pipeline.scoring.style import COLOURS, WIDTH
from pipeline.scoring.tables import Results


def curves(study: Results) -> Figure:
    """Accuracy on all classes, and on the new one, of every method, with intervals.

    Along the axis are the values, with a column of panels for each case; or, where there are more
    cases than values, the other way round. Those of cases have each a scale of its own.

    Args:
        study: the content of the study's file.
    """
    cases, values = study["cases"], study["values"]
    by_value = len(values) >= len(cases)
    columns, places = (cases, values) if by_value else (values, cases)
    figure, axes = plt.subplots(
        2, len(columns), figsize=(WIDTH, 7), squeeze=False, sharex=True,
        sharey="none" if by_value else "row",
    )  # fmt: skip
    for axis, column in zip(axes[0], columns, strict=True):
        heading = title(column) if by_value else f"{varied(study)}: {amount(column)}"
        axis.set_title(heading, size=10)
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
                drawn = axis.errorbar(
                    np.arange(len(places)) + aside,
                    [100 * figure["mean"] for figure in found],
                    [100 * figure["ci95"] for figure in found],
                    fmt=f"o{line}" if by_value else "o", color=colour, markersize=4,
                    linewidth=1.2, label=title(name),
                )  # fmt: skip
                drawn[2][0].set_alpha(0.35)  # the intervals, which cross the lines of others
    for axis in axes[-1]:
        axis.set_xticks(range(len(places)), [amount(place) for place in places])
        axis.set_xlabel(varied(study) if by_value else study["title"])
    for row in axes:
        for alike in ([axis] for axis in row) if by_value else [row]:
            alike[0].set_ylim(*_limits(alike))
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=5)
    return figure


def kept(study: Results) -> Figure:
    """Accuracy against what is kept of the old classes: curves over the number of their images.

    Of what keeps no images, or as many in every run, there is a point. A row of panels for all
    classes, one for the new one, a column for each case.

    Args:
        study: the content of the study's file.
    """
    cases = study["cases"]
    figure, axes = plt.subplots(2, len(cases), figsize=(WIDTH, 7.5), squeeze=False, sharex="col")
    for row, (key, meaning) in zip(axes, MEASURES.items(), strict=True):
        row[0].set_ylabel(f"test accuracy, {meaning}, %")
        for axis, case in zip(row, cases, strict=True):
            of_case = study["summary"][case]
            for name, colour, marker in zip(
                names(study), cycle(COLOURS), cycle(["o"] * 8 + ["s"] * 8), strict=False
            ):
                values = study["values"] if varies(study, case, name) else study["values"][:1]
                found = [of_case[value]["new_class"][name] for value in values]
                axis.errorbar(
                    [figures["kept_bytes"]["mean"] / 1000 for figures in found],
                    [100 * figures[key]["mean"] for figures in found],
                    [100 * figures[key]["ci95"] for figures in found],
                    fmt=f"{marker}-", color=colour, markersize=5 if len(values) > 1 else 8,
                    linewidth=1, elinewidth=0.7, label=title(name),
                )  # fmt: skip
            axis.set_xscale("log")
    for axis, case in zip(axes[0], cases, strict=True):
        axis.set_title(title(case), size=10)
    for axis in axes[-1]:
        axis.set_xlabel("kept of the old classes, kB")
    for axis in axes.flat:
        axis.set_ylim(*_limits([axis]))
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=5)
    return figure


def by_case(study: Results) -> Figure:
    """Accuracy of every method on all classes and on the new one (hollow), a row per case.

    Args:
        study: the content of the file of a study that is held against nothing.
    """
    cases, summary = study["cases"], study["summary"]
    names = [name for case in cases for name in summary[case]["new_class"] if name != "base"]
    methods = list(dict.fromkeys(names))
    size = (WIDTH, 1.6 + 0.36 * len(cases))
    figure, axes = plt.subplots(1, len(methods), figsize=size, sharey=True, squeeze=False)
    for axis, name in zip(axes[0], methods, strict=True):
        rows = [row for row, case in enumerate(cases) if name in summary[case]["new_class"]]
        for key, face in (("accuracy", COLOURS[0]), ("accuracy_new", "none")):
            found = [summary[cases[row]]["new_class"][name][key] for row in rows]
            axis.errorbar(
                [100 * figure["mean"] for figure in found],
                np.array(rows) + (0.12 if face == "none" else -0.12),
                xerr=[100 * figure["ci95"] for figure in found],
                fmt="o", color=COLOURS[0], markerfacecolor=face, elinewidth=1,
                label=MEASURES[key],
            )  # fmt: skip
        axis.set_title(title(name), size=10)
        axis.set_xlabel("test accuracy, %")
        axis.set_ylim(len(cases) - 0.5, -0.5)
    axes[0, 0].set_yticks(range(len(cases)), [title(case) for case in cases])
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure


def _limits(row: Any) -> tuple[float, float]:
    """Of what is shown in percent, to see the best although some are far below."""
    means = np.concatenate(
        [container[0].get_ydata() for axis in row for container in axis.containers]
    )
    low, high = float(np.percentile(means, 20)), float(means.max())
    return max(0.0, low - 0.5 * (high - low)), high + 0.1 * (high - low)
