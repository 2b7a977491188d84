"""What is reported of the shapes."""

import json

import pytest

from pipeline.shape_comparison import labels_needed
from tests.project import Project


def rows(name: str, *curve: tuple[int, float]) -> list[dict[str, object]]:
    return [{"contender": name, "labels": n, "accuracy": accuracy} for n, accuracy in curve]


def test_labels_needed_lie_between_those_tried() -> None:
    table = [
        *rows("transfer", (2, 0.96), (5, 0.99)),
        *rows("scratch", (10, 0.90), (40, 1.00)),
        *rows("random", (10, 0.5), (40, 0.6)),
    ]
    needed = labels_needed(table)
    assert needed["transfer"] == 2
    assert needed["scratch"] == pytest.approx(20)
    assert needed["random"] is None


def test_all_that_is_asked_of_the_shapes_is_reported(finished: Project) -> None:
    figures = json.loads((finished.folder / "metrics/transfer.json").read_text())
    for both in (figures["both"], figures["both_plain"]):
        assert both["forgetting"] == pytest.approx(
            figures["base"]["accuracy"] - both["accuracy_source"], abs=2e-6
        )
        assert set(both["unknown"]) == {"softmax", "energy", "views"}
        assert both["score"] in both["unknown"]
        known = {"circle", "square", "triangle", "star", "pentagon"}
        assert set(both["rejected"]) == known | {"hexagon", "cross", "ellipse", "noise"}
    contenders = {"transfer", "scratch", "random", "fine_tuned"}
    assert set(figures["labels_for_95"]) == set(figures["label_efficiency"]) == contenders
    for curve in figures["label_efficiency"].values():
        assert list(curve) == ["2", "5"]
