"""What is reported of the shapes."""

import json

import pytest

from pipeline.shapes.comparison import curves, labels_needed
from tests.project import Project


def rows(name: str, *curve: tuple[int, float]) -> list[dict[str, object]]:
    return [{"contender": name, "labels": n, "accuracy": accuracy} for n, accuracy in curve]


def test_labels_needed_lie_between_those_tried() -> None:
    table = [
        *rows("frozen", (2, 0.96), (5, 0.99)),
        *rows("scratch", (10, 0.90), (40, 1.00)),
        *rows("random", (10, 0.5), (40, 0.6)),
    ]
    needed = labels_needed(table)
    assert needed["frozen"] == 2
    assert needed["scratch"] == pytest.approx(20)
    assert needed["random"] is None


def test_curves_go_by_contender_and_number_of_labels() -> None:
    table = [*rows("frozen", (2, 0.5), (5, 0.75)), *rows("scratch", (2, 0.25))]
    assert curves(table) == {"frozen": {"2": 0.5, "5": 0.75}, "scratch": {"2": 0.25}}


def test_all_that_is_asked_of_the_shapes_is_reported(finished: Project) -> None:
    figures = json.loads((finished.folder / "metrics/shapes.json").read_text())
    for both in (figures["both"], figures["both_plain"]):
        assert both["forgetting"] == pytest.approx(
            figures["base"]["accuracy"] - both["accuracy_source"], abs=2e-6
        )
        assert set(both["unknown"]) == {"softmax", "energy", "views"}
        assert both["score"] in both["unknown"]
        known = {"circle", "square", "triangle", "star", "pentagon"}
        assert set(both["rejected"]) == known | {"hexagon", "cross", "ellipse", "noise"}
    contenders = {"frozen", "scratch", "random", "fine_tuned"}
    assert set(figures) == contenders | {
        "base",
        "both",
        "both_plain",
        "few_labels",
        "labels_for_95",
    }
    assert set(figures["labels_for_95"]) == set(figures["few_labels"]) == contenders
    for curve in figures["few_labels"].values():
        assert list(curve) == ["2", "5"]
