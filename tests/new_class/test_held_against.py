"""Studies in which methods are held against a number of images."""

from typing import Any

import numpy as np
import pytest
from matplotlib import pyplot as plt
from scipy.stats import spearmanr

from pipeline.new_class import held_against, held_against_figures

METHODS = ["replay", "new_row", "slda", "lora"]


def study(cases: list[str], values: list[str], against: str = "split.new_images") -> dict[str, Any]:
    """With figures at random."""
    random = np.random.default_rng(0)

    def figure() -> dict[str, Any]:
        return {
            key: {"mean": random.uniform(0.9, 1), "ci95": 0.01, "n": 3}
            for key in ("accuracy", "accuracy_new", "kept_bytes")
        }

    summary = {
        case: {value: {"new_class": {name: figure() for name in ["base", *METHODS]}}
               for value in values}
        for case in cases
    }  # fmt: skip
    return {
        "title": "Cases", "cases": cases, "values": values, "against": against, "summary": summary
    }  # fmt: skip


DIGITS = study(["3", "4", "9"], ["3", "10"])
SETS = study(["mnist", "sign_language"], ["1", "3", "null"])


def test_table_has_a_row_per_case_and_method() -> None:
    header, *rows = held_against.table(SETS)
    assert header[1:] == ["images of the new class", "1", "3", "all"]
    assert held_against.table(study(["mnist"], ["1", "2"], "lora.rank"))[0][1] == "lora.rank"
    assert [row[1] for row in rows] == 2 * ["replay", "new row", "SLDA", "LoRA"]
    figure = SETS["summary"]["sign_language"]["null"]["new_class"]["slda"]
    all_classes, new = (100 * figure[key]["mean"] for key in ("accuracy", "accuracy_new"))
    assert rows[6][4] == f"{all_classes:.2f} ± 1.00 / {new:.2f}"


def test_means_and_the_worst_are_over_the_cases() -> None:
    rows = held_against.over_cases(DIGITS)[1:]
    [row] = [row for row in rows if row[:2] == ["new row", "10"]]
    found = {case: DIGITS["summary"][case]["10"]["new_class"]["new_row"] for case in "349"}
    for place, key in enumerate(["accuracy", "accuracy_new"]):
        means = {case: 100 * figure[key]["mean"] for case, figure in found.items()}
        assert float(row[2].split(" / ")[place]) == pytest.approx(
            np.mean([*means.values()]), abs=0.006
        )
        worst = min(means, key=lambda case: means[case])
        assert row[3 + place] == f"{means[worst]:.2f} (the {worst})"
    assert held_against.few_pictures(DIGITS)[2][1:] == row[2:]


def test_agreement_is_spearmans() -> None:
    for value, row in zip(DIGITS["values"], held_against.agreement(DIGITS)[1:], strict=True):
        means = [
            [
                DIGITS["summary"][case][value]["new_class"][name]["accuracy"]["mean"]
                for name in METHODS
            ]
            for case in DIGITS["cases"]
        ]
        pairs = spearmanr(means, axis=1).statistic[np.triu_indices(3, 1)]
        assert [float(row[1]), float(row[2])] == pytest.approx(
            [pairs.mean(), pairs.min()], abs=0.006
        )


@pytest.mark.parametrize(("content", "panels", "places"), [(SETS, 2, 3), (DIGITS, 2, 3)])
def test_what_is_more_is_along_the_axis(content: dict[str, Any], panels: int, places: int) -> None:
    figure = held_against_figures.curves(content)
    assert len(figure.axes) == 2 * panels
    for axis in figure.axes:
        assert [len(container[0].get_xdata()) for container in axis.containers] == [places] * 4
    shown = figure.axes[0].containers[1][0].get_ydata()
    case, value = content["cases"][0], content["values"][0]
    mean = content["summary"][case][value]["new_class"]["new_row"]["accuracy"]["mean"]
    assert shown[0] == pytest.approx(100 * mean)
    by_value = content is SETS
    below = "images of the new class" if by_value else content["title"]
    assert {axis.get_xlabel() for axis in figure.axes} == {"", below}
    plt.close(figure)


def test_budgets_are_curves_of_what_keeps_images_and_points_of_what_does_not() -> None:
    content = study(["mnist", "sign_language"], ["1", "20", "null"])
    for of_case in content["summary"].values():
        for place, of_value in enumerate(of_case.values()):
            for name, figures in of_value["new_class"].items():
                amount = 1000 * 10**place if name == "replay" else 5000
                figures["kept_bytes"] = {"mean": amount, "ci95": 0, "n": 3}

    header, *rows = held_against.budgets(content)
    assert header[2:] == ["1", "20", "all", "none"]
    assert [row[1] for row in rows] == 2 * ["replay", "new row", "SLDA", "LoRA"]
    for row in rows:
        assert [bool(cell) for cell in row[2:]] == [row[1] == "replay"] * 3 + [row[1] != "replay"]

    figure = held_against_figures.kept(content)
    for axis in figure.axes:
        places = [list(container[0].get_xdata()) for container in axis.containers]
        assert places == [[1, 10, 100], [5], [5], [5]]  # kB
    plt.close(figure)


def test_by_case_there_is_a_row_per_case_and_a_column_per_method() -> None:
    content = study(["mnist_tpe", "mnist_grid", "mnist_random"], ["1"])
    content["summary"] = {case: each["1"] for case, each in content["summary"].items()}
    header, *rows = held_against.by_case(content)
    assert header[1:] == ["replay", "new row", "SLDA", "LoRA"]
    figure = content["summary"]["mnist_grid"]["new_class"]["slda"]
    all_classes, new = (100 * figure[key]["mean"] for key in ("accuracy", "accuracy_new"))
    assert rows[1][3] == f"{all_classes:.2f} ± 1.00 / {new:.2f}"

    drawn = held_against_figures.by_case(content)
    shown = drawn.axes[2].containers[0][0].get_xdata()
    assert shown[1] == pytest.approx(all_classes)
    plt.close(drawn)
