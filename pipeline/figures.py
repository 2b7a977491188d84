"""Figures of merit to pictures. The one module that knows matplotlib."""

import io
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import Any

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
import pandas as pd
from cycler import cycler
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullFormatter

# Okabe and Ito's palette, which the colour-blind tell apart.
COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#999999"]
WIDTH = 9.0
"""Inches; at 100 dots per inch, what a README shows without shrinking."""

mpl.use("agg")
mpl.rcdefaults()  # whatever a user's matplotlibrc says
plt.rcParams.update(
    {
        "axes.prop_cycle": cycler(color=COLOURS),
        "axes.spines.right": False,
        "axes.spines.top": False,
        "axes.grid": True,
        "axes.axisbelow": True,
        "figure.constrained_layout.use": True,
        "figure.dpi": 100,
        "font.size": 10,
        "grid.color": "#e5e5e5",
        "legend.frameon": False,
    }
)


def png(figure: Figure) -> bytes:
    """The figure as a PNG file that equal figures share to the last byte."""
    content = io.BytesIO()
    figure.savefig(content, format="png", metadata={"Software": None})
    plt.close(figure)
    return content.getvalue()


def comparison(figures: Mapping[str, Mapping[str, Any]]) -> Figure:
    """Accuracy on all, old and new classes of every method, the best first.

    Args:
        figures: the content of `metrics/evaluate.json`; what has an interval is shown with it.
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
    for axis, (key, title) in zip(axes[0], panels.items(), strict=True):
        for row, name in enumerate(names):
            colour = COLOURS[0] if figures[name]["original_data"] else COLOURS[1]
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
            axis.set_title(f"{title}\n(dashed: before)", size=10)
        else:
            axis.set_title(title, size=10)
        axis.set_xlabel("test accuracy, %")
        axis.margins(x=0.2)
        axis.set_ylim(len(names) - 0.4, -0.8)
    axes[0, 0].set_yticks(range(len(names)), [_title(name) for name in names])
    handles = [Line2D([], [], marker="o", linestyle="", color=COLOURS[i]) for i in (0, 1)]
    labels = ["trained with the original data", "without them"]
    figure.legend(handles, labels, loc="outside lower center", ncols=2)
    return figure


def confusion(table: pd.DataFrame) -> Figure:
    """A confusion matrix per method, mistakes coloured, hits only counted.

    Args:
        table: columns method, actual, predicted, images.
    """
    names = list(table["method"].unique())
    columns = min(3, len(names))
    rows = -(-len(names) // columns)
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
        axis.set_title(f"{_title(name)}: {mistakes.sum()} mistakes", size=10)
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
                100 * part["x"], 100 * part["y"], line, color=colour, label=_title(name),
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
        axis.set_title(f"{_title(name)}: strength {chosen:g} chosen", size=10)
        axis.set_xlabel("strength (0: base model, 1: as trained)")
    axes[0, 0].set_ylabel("accuracy, % (cut at 90)")
    axes[0, 0].plot([], [], "k:", label="on validation data")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    return figure


def training(table: pd.DataFrame) -> Figure:
    """Training loss, validation loss and accuracy of every method over its steps.

    Args:
        table: columns method, step, train_loss, loss, accuracy.
    """
    names = list(table["method"].unique())
    columns = min(4, len(names))
    rows = -(-len(names) // columns)
    figure, axes = plt.subplots(rows, columns, figsize=(WIDTH, 2.6 * rows), squeeze=False)
    for axis in axes.flat[len(names) :]:
        axis.remove()
    for axis, name in zip(axes.flat, names, strict=False):
        part = table[table["method"] == name]
        axis.plot(part["step"], part["train_loss"], color=COLOURS[1], label="training")
        axis.plot(part["step"], part["loss"], color=COLOURS[0], label="validation")
        axis.set_yscale("log")
        axis.yaxis.set_minor_formatter(NullFormatter())
        best = part["accuracy"].max()
        axis.set_title(f"{_title(name)}\nbest validation {100 * best:.2f} %", size=9)
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
        row[0].set_ylabel(f"{_title(name)}\nvalidation score, %")
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
        axis.set_title(_title(name), size=10)
        axis.set_xlabel("old classes, validation accuracy, %")
    axes[0, 0].set_ylabel("new classes, validation accuracy, %\n(cut at 90)")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


def label_efficiency(table: pd.DataFrame) -> Figure:
    """Test accuracy against the number of labelled images, a line per contender.

    Args:
        table: columns contender, labels, accuracy and, of several seeds, its half-width ci95.
    """
    figure, axis = plt.subplots(figsize=(WIDTH, 4))
    for colour, (name, part) in zip(COLOURS, table.groupby("contender", sort=False), strict=False):
        half = 100 * part["ci95"] if "ci95" in part else None
        axis.errorbar(
            part["labels"], 100 * part["accuracy"], half, fmt="o-", capsize=3, color=colour,
            label=_title(str(name)),
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


def rank_sweep(table: pd.DataFrame) -> Figure:
    """Test accuracy of LoRA against its rank and its size, beside the other ways to adapt.

    Args:
        table: columns setting, contender, rank, trainable_parameters, accuracy, accuracy_old and,
            of several seeds, the half-widths accuracy_ci95 and accuracy_old_ci95.
    """
    figure, axes = plt.subplots(1, 3, figsize=(WIDTH, 4), squeeze=False)
    panels = [
        ("rank", "accuracy", "rank", "new classes: test accuracy, %"),
        ("trainable_parameters", "accuracy", "trained parameters", None),
        ("rank", "accuracy_old", "rank", "old classes, adapter on: test accuracy, %"),
    ]
    for axis, (across, key, label, title) in zip(axes[0], panels, strict=True):
        for colour, (setting, part) in zip(
            COLOURS, table.groupby("setting", sort=False), strict=False
        ):
            half = 100 * part[f"{key}_ci95"] if f"{key}_ci95" in part else None
            lora = part["rank"].notna()
            axis.errorbar(
                part[across][lora], 100 * part[key][lora], None if half is None else half[lora],
                fmt="o-", capsize=3, color=colour, label=f"LoRA, {_SETTINGS[str(setting)]}",
            )  # fmt: skip
            for name, line in (("full", "--"), ("last_layer", ":")):
                others = part[part["contender"] == name]
                if not others.empty:
                    axis.axhline(
                        100 * others[key].iloc[0], color=colour, linestyle=line, linewidth=1.2,
                        label=f"{_title(name)}, {_SETTINGS[str(setting)]}",
                    )  # fmt: skip
        axis.set_xscale("log", base=2 if across == "rank" else 10)
        if across == "rank":
            ranks = sorted(table["rank"].dropna().astype(int).unique())
            axis.set_xticks(ranks, [str(rank) for rank in ranks])
            axis.xaxis.set_minor_formatter(NullFormatter())
        axis.set_xlabel(label)
        if title:
            axis.set_ylabel(title)
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


def rank_mistakes(table: pd.DataFrame) -> Figure:
    """How many test images of each class every contender has wrong.

    Args:
        table: columns contender, published, class, mistakes.
    """
    titles = {False: "own learning rate", True: "published: one rate for all"}
    parts = table.groupby("published")
    figure, axes = plt.subplots(1, len(parts), figsize=(WIDTH, 4), sharey=True, squeeze=False)
    order = list(dict.fromkeys(table["contender"]))
    for axis, (published, part) in zip(axes[0], parts, strict=True):
        counts = part.pivot_table(index="contender", columns="class", values="mistakes")
        counts = counts.reindex(order)
        axis.imshow(counts, cmap="Oranges", vmin=0, vmax=2 * counts.max().max(), aspect="auto")
        for i, row in enumerate(counts.to_numpy()):
            for j, count in enumerate(row):
                if count == count:
                    axis.text(j, i, f"{count:.0f}", ha="center", va="center", size=8)
        axis.set_xticks(range(len(counts.columns)), [str(name) for name in counts.columns])
        axis.set_yticks(range(len(order)), [_title(name) for name in order])
        axis.tick_params(length=0)
        axis.grid(False)
        axis.set_title(f"mistakes by class, {titles[bool(published)]}", size=10)
        axis.set_xlabel("actual class")
    return figure


_SETTINGS = {"tuned": "own learning rate", "published": "published setting"}


def captioned(
    images: npt.NDArray[np.uint8], captions: Sequence[str], groups: Sequence[str]
) -> Figure:
    """Images with captions, a row for each group.

    Args:
        images: `(n, channels, height, width)`, those of a group one after the other.
        captions: `n` texts.
        groups: `n` names.
    """
    names = list(dict.fromkeys(groups))
    columns = max(Counter(groups).values())
    size = (WIDTH, ((WIDTH - 1) / columns + 0.4) * len(names))
    figure, axes = plt.subplots(len(names), columns, figsize=size, squeeze=False)
    for axis in axes.flat:
        axis.set_axis_off()
    for row, name in zip(axes, names, strict=True):
        members = [index for index, group in enumerate(groups) if group == name]
        for axis, index in zip(row, members, strict=False):
            axis.imshow(images[index].transpose(1, 2, 0).squeeze(), cmap="gray_r", vmin=0, vmax=255)
            axis.set_title(captions[index], size=7)
        row[0].text(
            -0.15, 0.5, _title(name), transform=row[0].transAxes, ha="right", va="center", size=9
        )
    return figure


def _title(name: str) -> str:
    return name.replace("_", " ").replace("lora", "LoRA").replace("gaussian", "Gaussian")
