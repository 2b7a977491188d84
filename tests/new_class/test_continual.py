"""Measures of learning one class after another, against ones worked out by hand."""

import numpy as np
import pytest

from pipeline.core.labelled import Labelled
from pipeline.new_class.evaluation import continual

# After each step (rows, the base first) on the classes of each (columns).
ACCURACIES = np.array([[0.9, 0.2, 0.1], [0.8, 0.7, 0.1], [0.6, 0.75, 0.5]])


def test_measures_are_those_of_the_field() -> None:
    measured = continual.measures(ACCURACIES, classes=10)
    assert measured["average_accuracy"] == pytest.approx((0.6 + 0.75 + 0.5) / 3)
    assert measured["backward_transfer"] == pytest.approx(((0.6 - 0.9) + (0.75 - 0.7)) / 2)
    assert measured["average_forgetting"] == pytest.approx(((0.9 - 0.6) + (0.7 - 0.75)) / 2)
    assert measured["forward_transfer"] == pytest.approx((0.2 + 0.1) / 2 - 0.1)


def test_nothing_is_forgotten_where_all_stays_right() -> None:
    measured = continual.measures(np.tril(np.ones((4, 4))), classes=5)
    assert measured["average_accuracy"] == 1
    assert measured["average_forgetting"] == measured["backward_transfer"] == 0
    assert measured["forward_transfer"] == pytest.approx(-1 / 5)


def test_the_matrix_counts_the_right_answers_of_each_step() -> None:
    labels = np.array([0, 0, 2, 3, 3, 1])
    test = Labelled(np.zeros((6, 2), np.float32), labels, list("abcd"), [1, 3], {}, [[3], [1]])
    assert continual.tasks(test) == [[0, 2], [3], [1]]
    before, after_first, after_all = labels.copy(), labels.copy(), labels.copy()
    before[3:] = 0
    after_first[[0, 5]] = 3
    after_all[3] = 1
    found = continual.matrix([before, after_first, after_all], test)
    expected = [[1, 0, 0], [2 / 3, 1, 0], [1, 1 / 2, 1]]
    assert found.tolist() == [pytest.approx(row) for row in expected]
