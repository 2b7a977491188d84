"""Pictures of the methods' comparison."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from pipeline.core import artifacts
from pipeline.new_class import figures, step_figures, training_figures
from pipeline.scoring.style import png
from tests.project import Project

PLOTS = "plots/new_class"


def table(plots: Path, name: str) -> pd.DataFrame:
    if name == "training":
        return artifacts.load_tables(plots / "curves")
    source = "studies" if name == "tradeoff" else name
    return artifacts.load_table(plots / f"tables/{source}.csv")


@pytest.mark.parametrize(
    "name", ["confusion", "detection", "strength", "training", "studies", "tradeoff"]
)
def test_equal_tables_give_equal_bytes(name: str, finished: Project) -> None:
    plots = finished.folder / PLOTS
    room = figures if name in ("confusion", "detection") else training_figures
    draw: Callable[[pd.DataFrame], Figure] = getattr(room, name)
    picture = png(draw(table(plots, name)))
    assert picture == png(draw(table(plots, name)))
    assert picture == (plots / f"pictures/{name}.png").read_bytes()


def test_comparison_is_drawn_of_one_run_and_of_several(finished: Project) -> None:
    metrics: dict[str, Any] = json.loads((finished.folder / "metrics/new_class.json").read_text())
    picture = png(figures.comparison(metrics))
    assert picture == (finished.folder / PLOTS / "pictures/methods.png").read_bytes()
    one, several = (
        {name: metrics[name] for name in names} for names in (["base", "lora"], metrics)
    )
    assert png(figures.comparison(one)) != png(figures.comparison(several))


def test_axis_begins_below_the_accuracies_at_the_chosen_strengths() -> None:
    rows = pd.DataFrame(
        {
            "method": ["a"] * 2,
            "data": ["test", "validation"],
            "strength": [0.0, 0.0],
            "chosen": [True, True],
            "accuracy": [0.5, 0.6],
            "accuracy_old": [0.43, 1.0],
            "accuracy_new": [1.0, 0.72],
        }
    )
    [axis] = training_figures.strength(rows).axes
    assert axis.get_ylim()[0] == 40
    assert axis.get_title() == "a: strength 0 chosen"


def test_mistakes_stand_in_a_row_for_each_method_and_say_what_they_are_taken_for() -> None:
    rows = [
        {"method": name, "actual": 0, "predicted": predicted, "confidence": 0.987}
        for name, predicted in (("base", 1), ("base", 2), ("lora", 1))
    ]
    images = np.zeros((len(rows), 1, 8, 8), np.uint8)
    figure = figures.mistakes({"images": images}, {"rows": rows, "classes": ["a", "b", "c"]})
    assert [axis.get_title() for axis in figure.axes] == [
        "a taken for b\n98.7%",
        "a taken for c\n98.7%",
        "a taken for b\n98.7%",
        "",
    ]


@pytest.mark.parametrize(
    ("worst", "shown"), [(0.97, True), (0.6, True), (0.1, False), (0.0, False)]
)
def test_what_forgets_nearly_all_is_cut_off_from_a_chain_of_steps(
    worst: float, shown: bool
) -> None:
    def chain(*means: float) -> dict[str, dict[str, float]]:
        return {str(step): {"mean": mean, "ci95": 0.01} for step, mean in enumerate(means)}

    found = {"digits": {"replay": chain(0.99, 0.98), "finetune_all": chain(0.99, worst)}}
    figure = step_figures.cases(found)
    [axis] = figure.axes
    low, high = axis.get_ylim()
    assert low < 98 < 99 < high
    assert (low < 100 * worst) == shown
    plt.close(figure)


def test_a_chain_is_drawn_if_all_of_it_is_wrong() -> None:
    nothing = {str(step): {"mean": mean, "ci95": 0.0} for step, mean in enumerate((0.9, 0.0))}
    assert png(step_figures.cases({"digits": {"ewc": nothing}}))


def test_a_method_far_behind_does_not_press_the_others_together() -> None:
    accuracies = {"base": 0.993, "a": 0.99, "b": 0.991, "c": 0.992, "d": 0.993, "behind": 0.1}
    methods = {
        name: dict.fromkeys(("accuracy", "accuracy_old", "accuracy_new"), value)
        | {"original_data": "none"}
        for name, value in accuracies.items()
    }
    for axis in figures.comparison(methods).axes:
        assert axis.get_xlim()[0] > 98
        assert "10.00" in [text.get_text() for text in axis.texts]


def test_where_most_methods_are_alike_the_others_are_no_arrows_at_the_edge() -> None:
    keys = ("accuracy", "accuracy_old", "accuracy_new")
    reached = {"base": 1.0, "a": 1.0, "b": 1.0, "c": 1.0, "d": 1.0, "e": 0.93}
    drawn = figures.comparison(
        {
            name: dict.fromkeys(keys, accuracy) | {"original_data": "none"}
            for name, accuracy in reached.items()
        }
    )
    assert all(axis.get_xlim()[0] < 93 < axis.get_xlim()[1] for axis in drawn.axes)


def test_cases_of_one_base_share_an_axis() -> None:
    def found(base: float, accuracy: float) -> dict[str, Any]:
        method = {"accuracy": accuracy, "accuracy_new": accuracy, "original_data": "none"}
        return {
            "base": {"accuracy": base},
            "lora": method | {"accuracy_ci95": [accuracy - 0.01, accuracy + 0.01]},
        }

    drawn = figures.cases({"a": found(0.8, 0.9), "b": found(0.8, 0.95), "c": found(0.7, 0.8)})
    first, second, third = (axis.get_xlim() for axis in drawn.axes)
    assert first == second
    assert first[0] < 90 < 95 < first[1]
    assert third != first
