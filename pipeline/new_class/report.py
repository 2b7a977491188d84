"""The comparison of the methods as tables for people."""

import json
from collections.abc import Callable, Sequence

from pipeline.new_class import choice
from pipeline.scoring.names import title
from pipeline.scoring.tables import Results, Table, number, percent

PUBLISHED = {
    "base": {"accuracy_old": 99.25},
    "replay": {"accuracy": 99.31, "accuracy_new": 99.69},
    "sequential": {"accuracy": 98.22, "accuracy_new": 97.86},
    "lora": {"accuracy": 97.74, "accuracy_new": 96.73},
}
"""Test accuracies of the original systems on MNIST, percent."""

SHOWN = {"images": 1, "few images": 1, "statistics": 2, "nothing": 1}
"""How many methods `best` shows of each kind of what is kept of the old classes, at least."""


def methods(results: Results, facts: Results, names: Sequence[str] | None = None) -> Table:
    """The ways to learn the new classes.

    Args:
        results: figures of one run, or means with intervals.
        facts: the metrics of one run, for what isn't a figure.
        names: whose rows; of all methods unless given.
    """
    rows = [
        [
            "method",
            "all classes, %",
            "new class, %",
            "old classes, %",
            "forgetting, points",
            "trained parameters",
            "old images used for",
            "kept, kB",
            "published: all / new, %",
        ]
    ]
    for name in names or sorted(results, key=lambda name: (name != "base", name)):
        figure, fact = results[name], facts[name]
        published = PUBLISHED.get(name, {})
        rows.append(
            [
                title(name),
                percent(figure["accuracy"]),
                percent(figure["accuracy_new"]),
                percent(figure["accuracy_old"]),
                percent(figure["forgetting"]),
                f"{fact['trainable_parameters']:,}",
                fact["original_data"],
                "-" if name == "base" else f"{fact['kept_bytes'] / 1000:,.0f}",
                " / ".join(f"{value:.2f}" for value in published.values())
                + (" (old)" if name == "base" else ""),
            ]
        )
    return rows


def steps(results: Results, facts: Results) -> Table:
    """What became of methods that learned one class after another; nothing if none did.

    Args:
        results: figures of one run, or means with intervals.
        facts: the metrics of one run, for what isn't a figure.
    """
    names = [name for name, figure in results.items() if "average_accuracy" in figure]
    columns = {
        "all classes, %": "accuracy",
        "mean over the lists, %": "average_accuracy",
        "forgetting, points": "average_forgetting",
        "backward transfer, points": "backward_transfer",
        "forward transfer, points": "forward_transfer",
    }
    rows = [["method", *columns, "old images used for", "kept at last, kB"]]
    for name in sorted(names, key=lambda name: -_mean(results[name]["accuracy"])):
        figures = [percent(results[name][key]) for key in columns.values()]
        fact = facts[name]
        kept = f"{fact['kept_bytes'] / 1000:,.0f}"
        rows.append([title(name), *figures, fact["original_data"], kept])
    return rows if names else []


def steps_of(study: Results) -> Table:
    """As `steps`, of every case of a study.

    Args:
        study: the content of the study's file.
    """
    rows: Table = []
    for case in study["cases"]:
        facts = next(each for each in study["cells"].values() if each["case"] == case)["metrics"]
        heading, *found = steps(study["summary"][case]["new_class"], facts["new_class"]) or [[]]
        rows = rows or [["base and order", *heading]]
        names = [case.replace("_", " "), *[""] * (len(found) - 1)]
        rows += [[name, *row] for name, row in zip(names, found, strict=True)]
    return rows


def _mean(figure: Results | float) -> float:
    value: float = figure if isinstance(figure, int | float) else figure["mean"]
    return value


def best(results: Results, facts: Results) -> Table:
    """As `methods`, of the base, the best of each kind of what is kept, and what was published.

    Those of one kind stand together, the most accurate on all classes first.
    """
    kinds: dict[str, list[str]] = {kind: [] for kind in SHOWN}
    for name in choice.best_first(results):
        kinds[choice.kept(facts[name], facts)].append(name)
    shown = [
        name
        for kind, count in SHOWN.items()
        for place, name in enumerate(kinds[kind])
        if place < count or name in PUBLISHED
    ]
    return methods(results, facts, ["base", *shown])


def few_images(study: Results) -> Table:
    """Test accuracy of base models by the number of images of each class.

    Args:
        study: the content of the study's file, its cases held against `split.old_images`.
    """
    return _against(study, lambda base, seconds: percent(base["accuracy_old"]))


def few_epochs(study: Results) -> Table:
    """Epochs to 95 % of the best validation accuracy, and seconds of the whole training."""
    return _against(
        study, lambda base, seconds: f"{number(base['epochs_to_95'], 1)} ({number(seconds, 0)})"
    )


def _against(study: Results, cell: Callable[[Results, float], str]) -> Table:
    """A row per case, a column per number of images."""
    counts = study["values"]
    rows = [["images of each class", *("all" if each == "null" else each for each in counts)]]
    for case in study["cases"]:
        row = [title(case)]
        for count in counts:
            wanted = json.loads(count)
            taken = [
                each["seconds"]["pretrain"]
                for each in study["cells"].values()
                if each["case"] == case and each["settings"][study["against"]] == wanted
            ]
            base = study["summary"][case][count]["new_class"]["base"]
            row.append(cell(base, sum(taken) / len(taken)))
        rows.append(row)
    return rows


def elsewhere(study: Results) -> Table:
    """The ways to learn a new class on several sets of images.

    Args:
        study: the content of the study's file, a case for every set.
    """
    rows = [
        [
            "images",
            "method",
            "all classes, %",
            "new class, %",
            "old classes, %",
            "negative flips, %",
            "kept, kB",
            "seconds",
        ]
    ]
    for case in study["cases"]:
        figures = study["summary"][case]["new_class"]
        cells = [cell for cell in study["cells"].values() if cell["case"] == case]
        for name in sorted(figures, key=lambda name: (name != "base", name)):
            stage = "pretrain" if name == "base" else name
            taken = [cell["seconds"][stage] for cell in cells if stage in cell["seconds"]]
            figure = figures[name]
            rows.append(
                [
                    case.replace("_", " ") if name == "base" else "",
                    title(name),
                    percent(figure["accuracy"]),
                    percent(figure["accuracy_new"]),
                    percent(figure["accuracy_old"]),
                    "" if name == "base" else percent(figure["negative_flips"]),
                    "" if name == "base" else number(figure["kept_bytes"]["mean"] / 1000, 0),
                    f"{sum(taken) / len(taken):.0f}" if taken else "",
                ]
            )
    return rows
