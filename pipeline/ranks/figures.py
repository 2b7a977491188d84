"""Pictures of the rank sweep."""

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from pipeline.scoring.names import title
from pipeline.scoring.style import COLOURS, WIDTH

SETTINGS = {"tuned": "own learning rate", "published": "published setting"}


def sweep(table: pd.DataFrame) -> Figure:
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
    for axis, (across, key, label, heading) in zip(axes[0], panels, strict=True):
        for colour, (setting, part) in zip(
            COLOURS, table.groupby("setting", sort=False), strict=False
        ):
            half = 100 * part[f"{key}_ci95"] if f"{key}_ci95" in part else None
            lora = part["rank"] > 0
            axis.errorbar(
                part[across][lora], 100 * part[key][lora], None if half is None else half[lora],
                fmt="o-", capsize=3, color=colour, label=f"LoRA, {SETTINGS[str(setting)]}",
            )  # fmt: skip
            for name, line in (("full", "--"), ("last_layer", ":")):
                others = part[part["contender"] == name]
                if not others.empty:
                    axis.axhline(
                        100 * others[key].iloc[0], color=colour, linestyle=line, linewidth=1.2,
                        label=f"{title(name)}, {SETTINGS[str(setting)]}",
                    )  # fmt: skip
        axis.set_xscale("log", base=2 if across == "rank" else 10)
        if across == "rank":
            ranks = sorted(table["rank"][table["rank"] > 0].unique())
            axis.set_xticks(ranks, [f"{rank:g}" for rank in ranks])
            axis.xaxis.set_minor_formatter(NullFormatter())
        axis.set_xlabel(label)
        if heading:
            axis.set_ylabel(heading)
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


def mistakes(table: pd.DataFrame) -> Figure:
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
        axis.set_yticks(range(len(order)), [title(name) for name in order])
        axis.tick_params(length=0)
        axis.grid(False)
        axis.set_title(f"mistakes by class, {titles[bool(published)]}", size=10)
        axis.set_xlabel("actual class")
    return figure
