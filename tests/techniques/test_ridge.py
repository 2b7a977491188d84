"""Ridge regression from sums, held against scikit-learn and against all data at once."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge, RidgeCV
from torch import Tensor

from pipeline.techniques.statistics.ridge import Projection, Sums


def data(count: int = 1500) -> tuple[Tensor, Tensor]:
    """Four classes in twenty dimensions."""
    torch.manual_seed(0)
    labels = torch.arange(count) % 4
    return torch.randn(4, 20)[labels] + 0.5 * torch.randn(count, 20), labels


WIDE = Projection(7, 200)


def sums_of(chosen: Tensor | None = None, projection: Projection = WIDE) -> Sums:
    """The sums over some of the data, or all."""
    inputs, labels = data()
    mask = torch.ones_like(labels, dtype=torch.bool) if chosen is None else chosen
    return Sums.of(projection, inputs[mask], labels[mask], 4)


@pytest.mark.parametrize("ridge", [0.1, 10.0, 1000.0])
def test_classifier_is_that_of_sklearn(ridge: float) -> None:
    inputs, labels = data()
    ours = sums_of().solve(ridge)
    oracle = Ridge(alpha=ridge, fit_intercept=False, solver="cholesky")
    oracle.fit(WIDE(inputs).numpy(), np.eye(4)[labels])
    np.testing.assert_allclose(ours.numpy(), oracle.coef_, atol=1e-6)


@pytest.mark.parametrize("ridge", [0.1, 10.0, 1000.0])
def test_error_is_that_of_generalised_cross_validation(ridge: float) -> None:
    """By its definition, from the smoothing matrix; and near that of leaving one out of sklearn."""
    inputs, labels = data()
    wide, targets = WIDE(inputs).numpy(), np.eye(4)[labels]
    smooth = wide @ np.linalg.solve(wide.T @ wide + ridge * np.eye(200), wide.T)
    left = targets - smooth @ targets
    expected = len(wide) * np.square(left).sum() / (len(wide) - np.trace(smooth)) ** 2
    error = sums_of().cross_validated(ridge)
    assert error == pytest.approx(expected, rel=1e-6)
    oracle = RidgeCV([ridge], fit_intercept=False, scoring="neg_mean_squared_error")
    oracle.fit(wide, targets)
    assert 4 * -oracle.best_score_ == pytest.approx(error, rel=0.03)


RIDGES = [1e-9, 1e-3, 1.0, 30.0, 1000.0, 3e4]


@pytest.mark.parametrize("scale", [1.0, 30.0, 100.0])
@pytest.mark.parametrize("count", [45, 150, 300])
def test_what_the_file_rounds_is_no_small_error(tmp_path: Path, count: int, scale: float) -> None:
    """With fewer images than features some ridges fit them nearly exactly."""
    inputs, labels = data(count)
    wide = Projection(7, 1000)
    exact = Sums.of(wide, scale * inputs, labels, 4)
    exact.save(tmp_path / "sums", seed=7)
    kept = Sums.load(tmp_path / "sums")[0]
    told = {ridge: kept.cross_validated(ridge) for ridge in RIDGES}
    told = {ridge: error for ridge, error in told.items() if math.isfinite(error)}
    assert 0 < len(told) < len(RIDGES)
    assert told == pytest.approx({ridge: exact.cross_validated(ridge) for ridge in told}, rel=0.1)


def test_class_after_class_is_all_at_once() -> None:
    inputs, labels = data()
    whole = sums_of().solve(1.0)
    sums = sums_of(labels == 0)
    for label in (1, 2, 3):
        sums = sums.plus(sums_of(labels == label))
    parts = sums.solve(1.0)
    torch.testing.assert_close(parts, whole, atol=1e-4, rtol=0)
    logits = [WIDE(inputs) @ weight.T for weight in (parts, whole)]
    assert torch.equal(logits[0].argmax(1), logits[1].argmax(1))


@pytest.mark.parametrize(("rounded", "tolerance"), [(False, 1e-9), (True, 1e-4)])
def test_an_unlearned_class_never_was_there(
    rounded: bool, tolerance: float, tmp_path: Path
) -> None:
    """From sums as they are, and as they are kept: rounded to float32.

    Added class by class: on Intel's processors an image's features may depend on its batch.
    """
    inputs, labels = data()
    others = sums_of(labels == 0).plus(sums_of(labels == 1)).plus(sums_of(labels == 3))
    sums = others.plus(sums_of(labels == 2))
    if rounded:
        sums.save(tmp_path / "x", seed=7)
        sums, _ = Sums.load(tmp_path / "x")
    left = sums.minus(sums_of(labels == 2)).solve(10.0)
    never = others.solve(10.0)
    assert not left[2].any()
    torch.testing.assert_close(left, never, atol=tolerance, rtol=0)
    logits = [WIDE(inputs) @ weight.T for weight in (left, never)]
    assert torch.equal(logits[0].argmax(1), logits[1].argmax(1))


def test_some_images_are_unlearned_and_the_class_stays() -> None:
    _, labels = data()
    some = (labels == 2) & (torch.arange(len(labels)) < 700)
    left = sums_of(~some).plus(sums_of(some)).minus(sums_of(some)).solve(10.0)
    torch.testing.assert_close(left, sums_of(~some).solve(10.0), atol=1e-9, rtol=0)


def test_float32_would_not_do() -> None:
    """With many features and a small ridge the Gram matrix is too ill-conditioned for float32."""
    sums = sums_of(projection=Projection(7, 1200))
    exact = sums.solve(1e-3)
    rounded = Sums(sums.gram.float(), sums.moments.float(), sums.counts)
    try:
        rough = rounded.solve(1e-3).double()
    except torch.linalg.LinAlgError:  # type: ignore[attr-defined]
        return
    assert float((rough - exact).abs().max()) > 1e-2


def test_first_features_are_those_of_a_narrower_layer() -> None:
    inputs, labels = data()
    widened = WIDE(inputs)[:, :50]
    first = sums_of().first(50)
    torch.testing.assert_close(first.gram, widened.T @ widened)
    moments = torch.stack([widened[labels == label].sum(0) for label in range(4)], dim=1)
    torch.testing.assert_close(first.moments, moments)


def test_half_of_the_symmetric_sums_is_kept(tmp_path: Path) -> None:
    sums = sums_of()
    sums.save(tmp_path / "x", seed=7)
    again, projection = Sums.load(tmp_path / "x")
    torch.testing.assert_close(again.gram, sums.gram, rtol=1e-6, atol=0)
    torch.testing.assert_close(again.moments, sums.moments, rtol=1e-6, atol=0)
    assert torch.equal(again.counts, torch.tensor([375] * 4))
    assert torch.equal(projection(data()[0]), WIDE(data()[0]))
    assert (tmp_path / "x").stat().st_size < 200 * 201 / 2 * 4 + 200 * 4 * 4 + 1000
