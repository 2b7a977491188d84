"""Pictures of how the methods were trained, and of what was chosen."""

import math

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from pipeline.scoring.names import title
from pipeline.scoring.style import COLOURS, WIDTH, cut


def strength(table: pd.DataFrame) -> Figure:
    """Accuracies against the strength of a method's change, on validation and test data.

    Args:
        table: columns method, data, strength, chosen, accuracy, accuracy_old, accuracy_new.
    """
    names = list(table["method"].unique())
    figure, axes = plt.subplots(1, len(names), figsize=(WIDTH, 3.6), squeeze=False, sharey=True)
    labels = {"accuracy": "all", "accuracy_old": "old classes", "accuracy_new": "new classes"}
    low = cut(100 * table[table["chosen"]][list(labels)].min())
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
        axis.set_ylim(low, 100.2)
        axis.set_title(f"{title(name)}: strength {chosen:g} chosen", size=10)
        axis.set_xlabel("strength (0: base model, 1: as trained)")
    axes[0, 0].set_ylabel(f"accuracy, % (cut at {low})")
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
    finished = table.dropna(subset=["loss"])  # without trials that diverged
    parts = {
        str(name): part.dropna(axis="columns", how="all")
        for name, part in finished.groupby("method")
    }
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
        row[0].set_ylabel(f"{title(name)}\nscore, %")
        figure.colorbar(points, ax=row[len(values[name]) - 1], label="trial")
    return figure


def tradeoff(table: pd.DataFrame) -> Figure:
    """Every trial's accuracy on old against new classes, and what each objective would choose.

    Args:
        table: columns method, trial, accuracy, accuracy_old, accuracy_new.
    """
    table = table.dropna(subset=["accuracy_new"])  # without trials judged on something else
    names = list(table["method"].unique())
    figure, axes = plt.subplots(1, len(names), figsize=(WIDTH, 3.8), squeeze=False)
    bottom = cut(100 * table.groupby("method")["accuracy_new"].max())
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
        axis.set_ylim(bottom, 100.3)
        axis.set_title(title(name), size=10)
        axis.set_xlabel("old classes, validation accuracy, %")
    axes[0, 0].set_ylabel(f"new classes, validation accuracy, %\n(cut at {bottom})")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure
