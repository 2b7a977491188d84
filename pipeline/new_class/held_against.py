"""Studies in which methods are held against a parameter, as the number of new images.

All functions take the content of such a study's file.
"""

from collections.abc import Mapping
from itertools import cycle
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.scoring.names import title
from pipeline.scoring.tables import Results, Table, percent

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MEASURES = {"accuracy": "all classes", "accuracy_new": "new class"}


def names(study: Results) -> list[str]:
    """The methods that are compared."""
    means = study["summary"][study["cases"][0]][study["values"][0]]["new_class"]
    return [name for name in means if name != "base"]


def table(study: Results) -> Table:
    """Accuracy on all classes, with its interval, and on the new one: a row per case and method."""
    rows = [["all / new, %", "images of the class", *map(amount, study["values"])]]
    for case in study["cases"]:
        for name in names(study):
            figures = [
                study["summary"][case][value]["new_class"][name] for value in study["values"]
            ]
            first = title(case) if name == names(study)[0] else ""
            rows.append([first, title(name), *map(_both, figures)])
    return rows


def over_cases(study: Results) -> Table:
    """The means over all cases and the worst one's, a row per method and value."""
    rows = [["method", "images", "mean: all / new, %", "worst: all", "worst: new"]]
    for name in names(study):
        for value in study["values"]:
            rows.append([title(name), amount(value), *_mean_and_worst(study, name, value)])
    return rows


def few_pictures(study: Results, name: str = "new_row") -> Table:
    """As `over_cases`, of one method."""
    rows = [["pictures of the new digit", "mean: all / new, %", "worst: all", "worst: new"]]
    for value in study["values"]:
        rows.append([amount(value), *_mean_and_worst(study, name, value)])
    return rows


def agreement(study: Results) -> Table:
    """How alike cases rank the methods: Spearman's correlation, mean and least over pairs."""
    found = []
    for value in study["values"]:
        ranks = np.array(
            [
                np.argsort(np.argsort([_mean(study, case, value, name) for name in names(study)]))
                for case in study["cases"]
            ]
        )
        pairs = np.corrcoef(ranks)[np.triu_indices(len(ranks), 1)]
        found.append([amount(value), f"{pairs.mean():.2f}", f"{pairs.min():.2f}"])
    return [["images", "mean over pairs", "least"], *found]


def amount(value: str) -> str:
    """A number of images, of which none given means all."""
    return "all" if value == "null" else value


def curves(study: Results) -> "Figure":
    """Accuracy on all classes, and on the new one, of every method, with intervals.

    Along the axis are the values, with a column of panels for each case; or, where there are more
    cases than values, the other way round.
    """
    from matplotlib import pyplot as plt

    from pipeline.scoring.style import COLOURS, WIDTH

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


def _both(figure: Mapping[str, Any]) -> str:
    return f"{percent(figure['accuracy'])} / {100 * figure['accuracy_new']['mean']:.2f}"


def _mean(study: Results, case: str, value: str, name: str, key: str = "accuracy") -> float:
    mean: float = study["summary"][case][value]["new_class"][name][key]["mean"]
    return mean


def _mean_and_worst(study: Results, name: str, value: str) -> list[str]:
    found = {
        key: {case: _mean(study, case, value, name, key) for case in study["cases"]}
        for key in MEASURES
    }
    means = [f"{100 * sum(each.values()) / len(each):.2f}" for each in found.values()]
    worst = [min(each, key=lambda case: each[case]) for each in found.values()]
    lowest = [
        f"{100 * each[case]:.2f} (the {case})"
        for each, case in zip(found.values(), worst, strict=True)
    ]
    return [" / ".join(means), *lowest]
