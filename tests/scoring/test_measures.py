"""Figures of merit, held against other definitions of the same."""

import numpy as np
import pytest
import torch
from sklearn import metrics
from sklearn.calibration import calibration_curve
from torch import Tensor

from pipeline.scoring import measures

GENERATOR = np.random.default_rng(0)
ACTUAL = GENERATOR.integers(0, 4, 400)


def logits() -> Tensor:
    """Right in most cases, and never twice the same."""
    noise = np.random.default_rng(1).normal(size=(400, 4))
    return torch.from_numpy((2 * np.eye(4)[ACTUAL] + noise).astype(np.float32))


def test_figures_are_those_of_sklearn() -> None:
    predicted = logits().argmax(1).numpy()
    measured = measures.measure(logits(), ACTUAL)
    assert measured["accuracy"] == metrics.accuracy_score(ACTUAL, predicted)
    assert measured["f1_macro"] == metrics.f1_score(ACTUAL, predicted, average="macro")
    loss = torch.nn.functional.cross_entropy(logits().double(), torch.from_numpy(ACTUAL))
    assert measured["loss"] == pytest.approx(float(loss))


def test_wilson_interval_is_the_textbooks() -> None:
    hits = torch.zeros(100, 2)
    hits[:, 0] = 1
    actual = np.array([0] * 90 + [1] * 10)
    low, high = measures.measure(hits, actual)["accuracy_ci95"]
    z, p, n = 1.959964, 0.9, 100
    centre = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    assert (low, high) == pytest.approx((centre - half, centre + half), abs=1e-6)


@pytest.mark.parametrize("new", [[2], [0, 3]])
def test_new_classes(new: list[int]) -> None:
    predicted = logits().argmax(1).numpy()
    measured = measures.measure_new(logits(), ACTUAL, new)
    is_new = np.isin(ACTUAL, new)
    assert measured["accuracy_new"] == (predicted == ACTUAL)[is_new].mean()
    assert measured["accuracy_old"] == (predicted == ACTUAL)[~is_new].mean()
    recalls = [(predicted[label == ACTUAL] == label).mean() for label in new]
    assert measured["recall_new"] == pytest.approx(np.mean(recalls))
    table = measured["new_against_old"]
    assert sum(table.values()) == 400
    assert table["new_as_new"] == (is_new & np.isin(predicted, new)).sum()
    assert 0.5 < measured["auroc_new"] < 1


def test_calibration_error_is_that_of_the_calibration_curve() -> None:
    probabilities = logits().double().softmax(1).numpy()
    confidence = probabilities.max(1)
    hits = probabilities.argmax(1) == ACTUAL
    right, mean = calibration_curve(hits, confidence, n_bins=15)
    edges = np.linspace(0, 1, 16)
    counts = np.histogram(confidence, edges)[0]
    expected = (np.abs(right - mean) * counts[counts > 0]).sum() / 400
    assert measures.calibration_error(confidence, hits) == pytest.approx(expected)


def test_perfect_confidence_is_perfectly_calibrated() -> None:
    assert measures.calibration_error(np.ones(400), np.full(400, True)) == 0


def test_mcnemar_is_symmetric_and_exact() -> None:
    one = np.array([True] * 80 + [False] * 20)
    other = np.array([True] * 70 + [False] * 28 + [True] * 2)
    measured = measures.mcnemar(one, other)
    assert (measured["only_first"], measured["only_second"]) == (10, 2)
    tail = (1 + 12 + 66) / 2**12
    assert measured["p_value"] == pytest.approx(2 * tail)
    assert measures.mcnemar(other, one)["p_value"] == measured["p_value"]
    assert measures.mcnemar(one, one)["p_value"] == 1


def test_confident_mistakes_are_mistakes_in_order() -> None:
    rows = measures.confident_mistakes(logits(), ACTUAL, 5)
    assert len(rows) == 5
    assert all(row["actual"] == ACTUAL[row["image"]] != row["predicted"] for row in rows)
    confidences = [row["confidence"] for row in rows]
    assert confidences == sorted(confidences, reverse=True)
    probabilities = logits().double().softmax(1).numpy()
    wrong = probabilities.argmax(1) != ACTUAL
    assert confidences[0] == probabilities.max(1)[wrong].max()


def test_curves_enclose_the_areas_that_are_reported() -> None:
    new = [1, 2]
    rows = measures.curves_new(logits(), ACTUAL, new)
    measured = measures.measure_new(logits(), ACTUAL, new)
    roc, precision_recall = (
        np.array([(row["x"], row["y"]) for row in rows if row["curve"] == curve])
        for curve in ("roc", "precision_recall")
    )
    assert metrics.auc(*roc.T) == pytest.approx(measured["auroc_new"])
    recall, precision = precision_recall.T
    area = -(np.diff(recall) * precision[:-1]).sum()
    assert area == pytest.approx(measured["average_precision_new"], abs=0.01)
