"""What is reported of the shapes."""

import pytest

from pipeline.shape_comparison import labels_needed


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
