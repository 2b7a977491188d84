"""Pictures of the methods' comparison on test data."""

from collections.abc import Mapping, Sequence
from itertools import cycle
from textwrap import fill
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from pipeline.scoring.names import title
from pipeline.scoring.style import COLOURS, WIDTH, captioned, cut, panels

OLD_IMAGES = {
    "training": (COLOURS[0], "trained on old images"),
    "validation": (COLOURS[1], "old images for validation alone"),
    "none": (COLOURS[2], "no old image"),
}
"""Colour and meaning of what a method uses the old images for."""
FEW = 0.02
"""The share of old images taken for new at which every method's curve shall be seen."""


def comparison(figures: Mapping[str, Mapping[str, Any]]) -> Figure:
    """Accuracy on all, old and new classes of every method, the best first.

    An arrow at the edge stands for a method that is far behind the others.

    Args:
        figures: the content of `metrics/new_class.json`; what has an interval is shown with it.
    """
    methods = [name for name in figures if name != "base"]
    names = sorted(methods, key=lambda name: -figures[name]["accuracy"])
    panels = {
        "accuracy": "all classes",
        "accuracy_old": "old classes",
        "accuracy_new": "new classes",
    }
    figure, axes = plt.subplots(
        1, 3, figsize=(WIDTH, 1.2 + 0.42 * len(names)), sharey=True, squeeze=False
    )
    for axis, (key, heading) in zip(axes[0], panels.items(), strict=True):
        measured = [name for name in names if figures[name][key] is not None]
        behind = far([100 * figures[name][key] for name in measured])
        near = [name for name in measured if 100 * figures[name][key] >= behind]
        edge = min((100 * figures[name][key] for name in near), default=0)
        for row, name in enumerate(names):
            colour = OLD_IMAGES[figures[name]["original_data"]][0]
            if name not in measured:
                continue
            value = 100 * figures[name][key]
            if name in near and (interval := figures[name].get(f"{key}_ci95")):
                low, high = (100 * end for end in interval)
                axis.plot([low, high], [row, row], color=colour, linewidth=2, alpha=0.5)
            place = value if name in near else edge
            axis.plot(place, row, "o" if name in near else "<", color=colour)
            axis.annotate(
                f"{value:.2f}",
                (place, row),
                (0, 7),
                textcoords="offset points",
                ha="center",
                size=8,
            )
        if key == "accuracy_old" and figures["base"][key] is not None:
            axis.axvline(100 * figures["base"][key], color="#666666", linestyle="--", zorder=0)
            axis.set_title(f"{heading}\n(dashed: before)", size=10)
        else:
            axis.set_title(heading, size=10)
        axis.set_xlabel("test accuracy, %")
        axis.margins(x=0.2)
        axis.set_ylim(len(names) - 0.4, -0.8)
    axes[0, 0].set_yticks(range(len(names)), [title(name) for name in names])
    used = {figures[name]["original_data"] for name in names}
    shown = [style for value, style in OLD_IMAGES.items() if value in used]
    handles = [Line2D([], [], marker="o", linestyle="", color=colour) for colour, _ in shown]
    labels = [label for _, label in shown]
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels))
    return figure


def far(values: Sequence[float] | pd.Series) -> float:
    """Three quartile ranges below the first quartile: what is less is far out (Tukey, 1977).

    Where the quartiles are equal, nothing is.
    """
    if not len(values):
        return 0.0
    first, third = np.percentile(values, [25, 75])
    return float(first - 3 * (third - first)) if first < third else 0.0


def cases(figures: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> Figure:
    """Accuracy on all classes, and on new ones, of every method on several sets of images.

    Those that start from the same base share an axis.

    Args:
        figures: of each set, as for `comparison`; a method is placed by the first set that has it.
    """
    first: dict[str, Mapping[str, Any]] = {}
    for results in figures.values():
        first |= {name: result for name, result in results.items() if name not in first}
    methods = [name for name in first if name != "base"]
    names = sorted(methods, key=lambda name: -first[name]["accuracy"])
    size = (WIDTH, 1.4 + 0.36 * len(names))
    figure, axes = plt.subplots(1, len(figures), figsize=size, sharey=True, squeeze=False)
    of_base: dict[float, Axes] = {}
    for axis, (case, results) in zip(axes[0], figures.items(), strict=True):
        if (alike := of_base.setdefault(results["base"]["accuracy"], axis)) is not axis:
            axis.sharex(alike)
        for row, name in enumerate(names):
            if name not in results:
                continue
            colour = OLD_IMAGES[results[name]["original_data"]][0]
            low, high = (100 * end for end in results[name]["accuracy_ci95"])
            axis.plot([low, high], [row, row], color=colour, linewidth=2, alpha=0.5)
            axis.plot(100 * results[name]["accuracy"], row, "o", color=colour)
            new = 100 * results[name]["accuracy_new"]
            axis.plot(new, row, "o", color=colour, markerfacecolor="none", markersize=8)
        axis.set_title(fill(case.replace("_", " "), 14), size=10)
        axis.set_xlabel("test accuracy, %")
        axis.set_ylim(len(names) - 0.4, -0.6)
    axes[0, 0].set_yticks(range(len(names)), [title(name) for name in names])
    used = {
        result["original_data"]
        for results in figures.values()
        for name, result in results.items()
        if name != "base"
    }
    shown = [(colour, label) for value, (colour, label) in OLD_IMAGES.items() if value in used]
    handles = [Line2D([], [], marker="o", linestyle="", color=colour) for colour, _ in shown]
    hollow = Line2D([], [], marker="o", linestyle="", color="#666666", markerfacecolor="none")
    labels = [*(label for _, label in shown), "hollow: new class alone"]
    figure.legend([*handles, hollow], labels, loc="outside lower center", ncols=len(labels))
    return figure


def few_images(bases: Mapping[str, Mapping[str, Any]], counts: Sequence[str]) -> Figure:
    """Accuracy of base models against the number of images of each class, a line per case.

    Args:
        bases: of each case, by the number of images, the figures of its base, means and intervals.
        counts: numbers of images in their order; `null` is all.
    """
    figure, axis = plt.subplots(figsize=(WIDTH, 4.5))
    for row, (case, of_case) in enumerate(bases.items()):
        aside = 0.04 * (row - (len(bases) - 1) / 2)  # so that intervals don't hide each other
        places = [place for place, count in enumerate(counts) if count in of_case]
        found = [of_case[counts[place]]["accuracy_old"] for place in places]
        axis.errorbar(
            [place + aside for place in places],
            [100 * figure["mean"] for figure in found],
            [100 * figure["ci95"] for figure in found],
            fmt="o-", capsize=3, color=COLOURS[row % len(COLOURS)], label=title(case),
        )  # fmt: skip
    axis.set_xticks(range(len(counts)), ["all" if count == "null" else count for count in counts])
    axis.set_xlabel("training images of each class")
    axis.set_ylabel("test accuracy, %")
    axis.set_ylim(top=101)
    figure.legend(loc="outside lower center", ncols=len(bases))
    return figure


def confusion(table: pd.DataFrame) -> Figure:
    """A confusion matrix per method, mistakes coloured, hits only counted.

    Args:
        table: columns method, actual, predicted, images.
    """
    names = list(table["method"].unique())
    figure, axes = panels(len(names), height=3.5)
    for axis, name in zip(axes.flat, names, strict=False):
        part = table[table["method"] == name]
        classes = list(part["actual"].unique())
        counts = part["images"].to_numpy().reshape(len(classes), len(classes))
        mistakes = counts - np.diag(np.diag(counts))
        axis.imshow(np.minimum(mistakes, 10), cmap="Oranges", vmin=0, vmax=15)
        for i, j in zip(*np.nonzero(counts), strict=True):
            axis.text(
                j, i, counts[i, j], ha="center", va="center", size=6 if i == j else 7.5,
                color="#999999" if i == j else "#000000",
            )  # fmt: skip
        axis.set_xticks(range(len(classes)), classes)
        axis.set_yticks(range(len(classes)), classes)
        axis.tick_params(length=0)
        axis.grid(False)
        axis.set_title(f"{title(name)}: {mistakes.sum()} mistakes", size=10)
        axis.set_xlabel("predicted")
    for axis in axes[:, 0]:
        axis.set_ylabel("actual")
    return figure


def detection(table: pd.DataFrame) -> Figure:
    """ROC and precision–recall curves of new against old classes, without the base.

    Args:
        table: columns method, curve, x, y.
    """
    figure, axes = plt.subplots(1, 2, figsize=(WIDTH, 4))
    names = [name for name in table["method"].unique() if name != "base"]
    for name, colour, line in zip(names, cycle(COLOURS), cycle(["-", "--", ":"]), strict=False):
        for axis, curve in zip(axes, ("roc", "precision_recall"), strict=True):
            part = table[(table["method"] == name) & (table["curve"] == curve)]
            axis.step(
                100 * part["x"], 100 * part["y"], line, color=colour, label=title(name),
                where="post",
            )  # fmt: skip
    few = table[(table["curve"] == "roc") & (table["x"] <= FEW) & table["method"].isin(names)]
    found = 100 * few.groupby("method")["y"].max()
    low = cut(found[found >= far(found)])
    axes[0].set_xscale("symlog", linthresh=0.01)
    axes[0].set_xlim(0, 100)
    axes[0].set_ylim(low, 100.3)
    axes[0].set_xlabel("old images taken for new, % (logarithmic from 0.01)")
    axes[0].set_ylabel(f"new taken for new, % (cut at {low})")
    axes[1].set_xlim(low, 100.3)
    axes[1].set_ylim(low, 100.3)
    axes[1].set_xlabel(f"recall of new classes, % (cut at {low})")
    axes[1].set_ylabel(f"precision, % (cut at {low})")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    return figure


def mistakes(arrays: Mapping[str, Any], about: Mapping[str, Any]) -> Figure:
    """The most confident mistakes of every method, a row each.

    Args:
        arrays: `images`, `(n, channels, height, width)`, uint8.
        about: `rows`, one an image, and `classes`.
    """
    rows, classes = about["rows"], about["classes"]
    captions = [
        f"{classes[row['actual']]} taken for {classes[row['predicted']]}\n{row['confidence']:.1%}"
        for row in rows
    ]
    return captioned(arrays["images"], captions, [row["method"] for row in rows])
