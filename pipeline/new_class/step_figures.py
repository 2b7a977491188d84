"""Pictures of learning one class after another."""

from collections.abc import Mapping

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from pipeline.scoring.names import SEEN, title
from pipeline.scoring.style import COLOURS, WIDTH, panels


def curves(table: pd.DataFrame) -> Figure:
    """Accuracy on all classes seen so far, after each step, a line per method.

    Args:
        table: columns method, step, classes, accuracy.
    """
    figure, axis = plt.subplots(figsize=(WIDTH, 4.5))
    seen = table[table["classes"] == SEEN]
    last = seen[seen["step"] == seen["step"].max()].sort_values("accuracy", ascending=False)
    for place, name in enumerate(last["method"]):
        part = seen[seen["method"] == name]
        colour, line = COLOURS[place % len(COLOURS)], ("-", "--", ":")[place // len(COLOURS) % 3]
        axis.plot(
            part["step"],
            100 * part["accuracy"],
            line,
            marker="o",
            color=colour,
            label=f"{title(name)}: {100 * part['accuracy'].iloc[-1]:.2f}",
        )
    added = [each for each in table["classes"].unique() if each != SEEN]
    axis.set_xticks(range(len(added)), [added[0], *(f"+ {each}" for each in added[1:])])
    axis.set_xlabel("classes learned, one step after another")
    axis.set_ylabel("test accuracy on all classes seen so far, %")
    axis.legend(loc="center left", bbox_to_anchor=(1.02, 0.5), title="after the last step, %")
    return figure


def cases(found: Mapping[str, Mapping[str, Mapping[str, Mapping[str, float]]]]) -> Figure:
    """Accuracy on all classes seen so far, with its interval, a panel per case.

    Axes are cut off below the methods that keep more than half of the best one's accuracy.

    Args:
        found: of each case and method, by the step, mean and interval (a fraction).
    """
    figure, axes = plt.subplots(1, len(found), figsize=(WIDTH, 4.2), sharex=True, squeeze=False)
    names = list(dict.fromkeys(name for of_case in found.values() for name in of_case))
    for axis, (case, of_case) in zip(axes[0], found.items(), strict=True):
        for name, after in of_case.items():
            place = names.index(name)
            steps = sorted(after, key=int)
            axis.errorbar(
                [int(step) for step in steps],
                [100 * after[step]["mean"] for step in steps],
                [100 * after[step]["ci95"] for step in steps],
                fmt=("o-", "s--", "^:")[place // len(COLOURS) % 3],
                color=COLOURS[place % len(COLOURS)], capsize=2, markersize=4, label=title(name),
            )  # fmt: skip
        means = [[100 * each["mean"] for each in after.values()] for after in of_case.values()]
        best = max(map(min, means))
        low = min(min(each) for each in means if min(each) >= best / 2)
        high = max(map(max, means))
        axis.set_ylim(low - 0.1 * (high - low), high + 0.1 * (high - low))
        axis.set_title(case.replace("_", " "), size=10)
        axis.set_xlabel("steps")
    axes[0, 0].set_ylabel("test accuracy on all classes seen so far, %\n(axes cut)")
    shown = [axis.get_legend_handles_labels() for axis in axes[0]]
    styles = {label: handle for pair in shown for handle, label in zip(*pair, strict=True)}
    figure.legend(styles.values(), styles.keys(), loc="outside lower center", ncols=4)
    return figure


def matrices(table: pd.DataFrame) -> Figure:
    """The accuracy after each step on the classes of each, a matrix per method."""
    parts = table[table["classes"] != SEEN]
    names = list(parts["method"].unique())
    figure, axes = panels(len(names), height=3.2)
    for axis, name in zip(axes.flat, names, strict=False):
        of_method = parts[parts["method"] == name]
        classes = list(of_method["classes"].unique())
        values = 100 * of_method["accuracy"].to_numpy().reshape(-1, len(classes))
        axis.imshow(values, cmap="Blues", vmin=0, vmax=150)
        for i, j in ((i, j) for i in range(len(values)) for j in range(len(classes)) if j <= i):
            axis.text(j, i, f"{values[i, j]:.1f}", ha="center", va="center", size=7)
        axis.set_xticks(range(len(classes)), classes)
        axis.set_yticks(range(len(classes)), ["base", *(f"+ {each}" for each in classes[1:])])
        axis.tick_params(length=0)
        axis.grid(False)
        axis.set_title(title(name), size=10)
        axis.set_xlabel("test accuracy on classes, %")
    for axis in axes[:, 0]:
        axis.set_ylabel("after learning")
    return figure
