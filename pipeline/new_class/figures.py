"""Pictures of the methods' comparison."""

import math
from collections.abc import Mapping
from itertools import cycle
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullFormatter

from pipeline.scoring.names import title
from pipeline.scoring.pictures import COLOURS, WIDTH

OLD_IMAGES = {
    "training": (COLOURS[0], "trained on old images"),
    "validation": (COLOURS[1], "old images for validation alone"),
    "none": (COLOURS[2], "no old image"),
}
"""Colour and meaning of what a method uses the old images for."""


def comparison(figures: Mapping[str, Mapping[str, Any]]) -> Figure:
    """Accuracy on all, old and new classes of every method, the best first.

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
        for row, name in enumerate(names):
            colour = OLD_IMAGES[figures[name]["original_data"]][0]
            value = 100 * figures[name][key]
            if interval := figures[name].get(f"{key}_ci95"):
                low, high = (100 * end for end in interval)
                axis.plot([low, high], [row, row], color=colour, linewidth=2, alpha=0.5)
            axis.plot(value, row, "o", color=colour)
            axis.annotate(
                f"{value:.2f}",
                (value, row),
                (0, 7),
                textcoords="offset points",
                ha="center",
                size=8,
            )
        if key == "accuracy_old":
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


def confusion(table: pd.DataFrame) -> Figure:
    """A confusion matrix per method, mistakes coloured, hits only counted.

    Args:
        table: columns method, actual, predicted, images.
    """
    names = list(table["method"].unique())
    columns = min(3, len(names))
    rows = math.ceil(len(names) / columns)
    figure, axes = plt.subplots(
        rows, columns, figsize=(WIDTH, 3.5 * rows), squeeze=False, sharey=True
    )
    for axis in axes.flat[len(names) :]:
        axis.remove()
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
    axes[0].set_xscale("symlog", linthresh=0.01)
    axes[0].set_xlim(0, 100)
    axes[0].set_ylim(90, 100.3)
    axes[0].set_xlabel("old images taken for new, % (logarithmic above 0.01)")
    axes[0].set_ylabel("new images taken for new, % (cut at 90)")
    axes[1].set_xlim(90, 100.3)
    axes[1].set_ylim(90, 100.3)
    axes[1].set_xlabel("recall of the new classes, % (cut at 90)")
    axes[1].set_ylabel("precision, % (cut at 90)")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    return figure


def strength(table: pd.DataFrame) -> Figure:
    """Accuracies against the strength of a method's change, on validation and test data.

    Args:
        table: columns method, data, strength, chosen, accuracy, accuracy_old, accuracy_new.
    """
    names = list(table["method"].unique())
    figure, axes = plt.subplots(1, len(names), figsize=(WIDTH, 3.6), squeeze=False, sharey=True)
    labels = {"accuracy": "all", "accuracy_old": "old classes", "accuracy_new": "new classes"}
    for axis, name in zip(axes[0], names, strict=True):
        part = table[table["method"] == name]
        for colour, (key, label) in zip(COLOURS, labels.items(), strict=False):
            for data, line in (("test", "-"), ("validation", ":")):
                rows = part[part["data"] == data]
                axis.plot(
                    rows["strength"], 100 * rows[key], line, color=colour,
                    label=label if data == "test" else None,
                )  # fmt: skip
        chosen = part[part["chosen"]]["strength"].iloc[0]
        axis.axvline(chosen, color="#666666", linestyle="--", linewidth=1)
        axis.set_ylim(90, 100.2)
        axis.set_title(f"{title(name)}: strength {chosen:g} chosen", size=10)
        axis.set_xlabel("strength (0: base model, 1: as trained)")
    axes[0, 0].set_ylabel("accuracy, % (cut at 90)")
    axes[0, 0].plot([], [], "k:", label="on validation data")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    return figure


def training(table: pd.DataFrame) -> Figure:
    """Training loss, validation loss and accuracy of every method over its steps.

    Args:
        table: columns name, step, train_loss, loss, accuracy.
    """
    names = sorted(table["name"].unique(), key=lambda name: (name != "base", name))
    columns = min(4, len(names))
    rows = math.ceil(len(names) / columns)
    figure, axes = plt.subplots(rows, columns, figsize=(WIDTH, 2.6 * rows), squeeze=False)
    for axis in axes.flat[len(names) :]:
        axis.remove()
    for axis, name in zip(axes.flat, names, strict=False):
        part = table[table["name"] == name]
        axis.plot(part["step"], part["train_loss"], color=COLOURS[1], label="training")
        axis.plot(part["step"], part["loss"], color=COLOURS[0], label="validation")
        axis.set_yscale("log")
        axis.yaxis.set_minor_formatter(NullFormatter())
        best = part["accuracy"].max()
        axis.set_title(f"{title(name)}\nbest validation {100 * best:.2f} %", size=9)
        axis.set_xlabel("step")
    for axis in axes[:, 0]:
        axis.set_ylabel("loss, nats")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure


def studies(table: pd.DataFrame) -> Figure:
    """Every trial's score against each value that the study chose, one row per method.

    Args:
        table: columns method, trial, the values, score and measured figures.
    """
    after = ("method", "trial", "score", "accuracy", "accuracy_old", "accuracy_new", "loss")
    parts = {str(name): part.dropna(axis="columns") for name, part in table.groupby("method")}
    values = {
        name: [key for key in part.columns if key not in after] for name, part in parts.items()
    }
    columns = max(map(len, values.values()))
    figure, axes = plt.subplots(
        len(parts), columns, figsize=(WIDTH, 2.5 * len(parts)), squeeze=False, sharey="row"
    )
    for row, (name, part) in zip(axes, parts.items(), strict=True):
        best = part.sort_values(["score", "loss"], ascending=[False, True]).iloc[0]
        for axis in row[len(values[name]) :]:
            axis.remove()
        for axis, value in zip(row, values[name], strict=False):
            points = axis.scatter(
                part[value], 100 * part["score"], c=part["trial"], cmap="viridis", s=12
            )
            axis.plot(best[value], 100 * best["score"], "*", color=COLOURS[1], markersize=12)
            if part[value].min() > 0 and part[value].max() > 30 * part[value].min():
                axis.set_xscale("log")
            axis.set_xlabel(value.replace("_", " "))
        low = max(100 * part["score"].quantile(0.2), 100 * best["score"] - 3)
        row[0].set_ylim(low - 0.05, 100 * best["score"] + 0.1)
        row[0].set_ylabel(f"{title(name)}\nvalidation score, %")
        figure.colorbar(points, ax=row[len(values[name]) - 1], label="trial")
    return figure


def tradeoff(table: pd.DataFrame) -> Figure:
    """Every trial's accuracy on old against new classes, and what each objective would choose.

    Args:
        table: columns method, trial, accuracy, accuracy_old, accuracy_new.
    """
    names = list(table["method"].unique())
    figure, axes = plt.subplots(1, len(names), figsize=(WIDTH, 3.8), squeeze=False)
    for axis, name in zip(axes[0], names, strict=True):
        part = table[table["method"] == name]
        old, new = 100 * part["accuracy_old"], 100 * part["accuracy_new"]
        axis.scatter(old, new, c="#999999", s=12, label="trial")
        objectives = {"overall": part["accuracy"], "worst": np.minimum(old, new)}
        for (objective, score), marker in zip(objectives.items(), "*D", strict=True):
            best = score.idxmax()
            axis.plot(
                old[best], new[best], marker, markersize=14 if marker == "*" else 7, linestyle="",
                color=COLOURS[0 if marker == "*" else 1],
                label=f"best {objective}", markerfacecolor="none" if marker == "D" else None,
            )  # fmt: skip
        low = min(old[score.idxmax()] for score in objectives.values())
        axis.set_xlim(low - 0.6, old.max() + 0.05)
        axis.set_ylim(90, 100.3)
        axis.set_title(title(name), size=10)
        axis.set_xlabel("old classes, validation accuracy, %")
    axes[0, 0].set_ylabel("new classes, validation accuracy, %\n(cut at 90)")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure
