"""Studies in which methods are held against a parameter, as the number of new images, or by cases.

All functions take the content of such a study's file.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from pipeline.scoring.names import title
from pipeline.scoring.tables import Results, Table, percent

MEASURES = {"accuracy": "all classes", "accuracy_new": "new class"}


def names(study: Results) -> list[str]:
    """The methods that are compared."""
    means = study["summary"][study["cases"][0]][study["values"][0]]["new_class"]
    return [name for name in means if name != "base"]


def table(study: Results) -> Table:
    """Accuracy on all classes, with its interval, and on the new one: a row per case and method."""
    rows = [["all / new, %", varied(study), *map(amount, study["values"])]]
    for case in study["cases"]:
        for name in names(study):
            figures = [
                study["summary"][case][value]["new_class"][name] for value in study["values"]
            ]
            first = title(case) if name == names(study)[0] else ""
            rows.append([first, title(name), *map(_both, figures)])
    return rows


def budgets(study: Results) -> Table:
    """Accuracy by the number of images kept of every old class: a row per case and method.

    What a method comes to that keeps none stands in a column of its own.
    """
    rows = [["all / new, %", "images kept of a class", *map(amount, study["values"]), "none"]]
    for case in study["cases"]:
        ordered = sorted(names(study), key=lambda name: not varies(study, case, name))
        for name in ordered:
            figures = [
                study["summary"][case][value]["new_class"][name] for value in study["values"]
            ]
            shown = (
                [*map(_both, figures), ""]
                if varies(study, case, name)
                else [*[""] * len(figures), _both(figures[0])]
            )
            rows.append([title(case) if name == ordered[0] else "", title(name), *shown])
    return rows


def by_case(study: Results) -> Table:
    """Accuracy of every method, a row per case of a study that is held against nothing."""
    summary = study["summary"]
    methods = [name for name in summary[study["cases"][0]]["new_class"] if name != "base"]
    rows = [["all / new, %", *map(title, methods)]]
    for case in study["cases"]:
        rows.append([title(case), *(_both(summary[case]["new_class"][name]) for name in methods)])
    return rows


def varies(study: Results, case: str, name: str) -> bool:
    """Whether what a method keeps depends on the value."""
    of_case = study["summary"][case]
    kept = {of_case[value]["new_class"][name]["kept_bytes"]["mean"] for value in study["values"]}
    return len(kept) > 1


def over_cases(study: Results) -> Table:
    """The means over all cases and the worst one's, a row per method and value."""
    rows = [["method", "images", "mean: all / new, %", "worst: all", "worst: new"]]
    for name in names(study):
        for value in study["values"]:
            rows.append([title(name), amount(value), *_mean_and_worst(study, name, value)])
    return rows


def few_pictures(study: Results) -> Table:
    """As `over_cases`, of the new row."""
    rows = [["pictures of the new digit", "mean: all / new, %", "worst: all", "worst: new"]]
    for value in study["values"]:
        rows.append([amount(value), *_mean_and_worst(study, "new_row", value)])
    return rows


def agreement(study: Results) -> Table:
    """How alike cases rank the methods: Spearman's correlation, mean and least over pairs."""
    import pandas as pd

    found = []
    for value in study["values"]:
        means = {
            case: [_mean(study, case, value, name) for name in names(study)]
            for case in study["cases"]
        }
        correlations = pd.DataFrame(means).corr("spearman").to_numpy()
        pairs = correlations[np.triu_indices(len(means), 1)]
        found.append([amount(value), f"{pairs.mean():.2f}", f"{pairs.min():.2f}"])
    return [["images", "mean over pairs", "least"], *found]


def varied(study: Results) -> str:
    """What the study is held against, for people."""
    key = str(study["against"])
    return "images of the new class" if key == "split.new_images" else key


def amount(value: str) -> str:
    """A number of images, of which none given means all."""
    return "all" if value == "null" else value


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
