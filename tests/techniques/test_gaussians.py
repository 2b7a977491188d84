"""Gaussians in place of images."""

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_t
from torch import Tensor

from pipeline.techniques.statistics.gaussians import MOST, Gaussians


def features(count: int = 4000, width: int = 12) -> tuple[Tensor, Tensor]:
    """Two classes with means and covariances of their own."""
    torch.manual_seed(0)
    labels = 3 + 4 * (torch.arange(count) % 2)
    mix = torch.randn(2, width, width)
    drawn = torch.einsum("nw,nvw->nv", torch.randn(count, width), mix[labels // 4 % 2])
    return drawn + labels[:, None], labels


@pytest.mark.parametrize("rank", [1, 6, 12])
def test_samples_have_the_moments_of_the_class(rank: int) -> None:
    inputs, labels = features()
    kept = Gaussians.of(inputs, labels, rank)
    assert kept.labels.tolist() == [3, 7]
    assert kept.counts.tolist() == [2000, 2000]
    sampled, of_class = kept.sample(20_000)
    for label in (3, 7):
        real, drawn = inputs[labels == label], sampled[of_class == label]
        torch.testing.assert_close(drawn.mean(0), real.mean(0), atol=0.1, rtol=0)
        torch.testing.assert_close(drawn.var(0), real.var(0, correction=0), atol=0, rtol=0.1)
        if rank == 12:
            torch.testing.assert_close(drawn.T.cov(), real.T.cov(), atol=0.8, rtol=0)


@pytest.mark.parametrize("degrees", [6.0, 15.0, None])
def test_tails_are_as_heavy_as_those_of_the_features(degrees: float | None) -> None:
    """Held against the t distribution of scipy (None: a normal one), of the same shape."""
    shape = np.diag(np.arange(1.0, 13.0))
    drawn = (
        multivariate_t(shape=shape, df=degrees, seed=0).rvs(40_000)
        if degrees
        else np.random.default_rng(0).normal(size=(40_000, 12)) * np.sqrt(shape.diagonal())
    )
    labels = torch.zeros(len(drawn), dtype=torch.int64)
    kept = Gaussians.of(torch.from_numpy(drawn).float(), labels, 12)
    found = float(kept.degrees)
    assert found == pytest.approx(degrees, rel=0.2) if degrees else found > 100
    sampled = kept.sample(40_000)[0].double().numpy()
    for each in (0, 11):
        for share in (0.001, 0.01, 0.1, 0.9, 0.99, 0.999):
            expected = np.quantile(drawn[:, each], share)
            assert np.quantile(sampled[:, each], share) == pytest.approx(expected, rel=0.08)


def test_of_one_image_there_are_no_tails() -> None:
    kept = Gaussians.of(torch.ones(1, 5), torch.zeros(1, dtype=torch.int64), 3)
    assert float(kept.degrees) == MOST
    assert torch.equal(kept.sample(4)[0], torch.ones(4, 5))


def test_rank_keeps_the_largest_directions() -> None:
    inputs, labels = features()
    kept = Gaussians.of(inputs, labels, 2)
    largest = torch.linalg.eigvalsh(inputs[labels == 3].T.cov(correction=0))[-2:]
    torch.testing.assert_close(kept.directions[0].square().sum(1), largest, rtol=1e-4, atol=0)


def test_deviations_are_around_zero_and_of_all_classes() -> None:
    inputs, labels = features()
    kept = Gaussians.of(inputs, labels, 12)
    drawn = kept.deviations(20_001)
    assert drawn.shape == (20_001, 12)
    torch.testing.assert_close(drawn.mean(0), torch.zeros(12), atol=0.15, rtol=0)
    within = torch.stack([inputs[labels == label].T.cov() for label in (3, 7)]).mean(0)
    torch.testing.assert_close(drawn.T.cov(), within, atol=0.8, rtol=0)


def test_joined_have_the_classes_of_both() -> None:
    inputs, labels = features()
    three, seven = (Gaussians.of(inputs[labels == a], labels[labels == a], 2) for a in (3, 7))
    both = Gaussians.of(inputs, labels, 2)
    assert all(map(torch.equal, three.joined(seven), both))


@pytest.mark.parametrize(
    "own", [[0], [0, 0, 0], [0, 1, 0, 0, 0], [0] * 10, [1] * 25, [0] * 12 + [1]]
)
def test_replay_puts_samples_behind_the_real_features(own: list[int]) -> None:
    """And has as many of every class, or more."""
    inputs, labels = features()
    count = len(own)
    kept = Gaussians.of(inputs, labels, 2)
    mixed, of_class = kept.replay(10, inputs[:count], torch.tensor(own))
    assert torch.equal(mixed[:count], inputs[:count])
    assert of_class[-20:].tolist() == [3] * 10 + [7] * 10
    for label in set(own):
        rows = [place for place, each in enumerate(own) if each == label]
        found = mixed[of_class == label]
        assert len(found) == max(10, len(rows))
        times = [int((found == inputs[row]).all(1).sum()) for row in rows]
        assert max(times) - min(times) <= 1


def test_kept_file_comes_back_and_is_small(tmp_path: Path) -> None:
    inputs, labels = features()
    kept = Gaussians.of(inputs, labels, 2)
    kept.save(tmp_path / "x")
    assert all(map(torch.equal, kept, Gaussians.load(tmp_path / "x")))
    assert (tmp_path / "x").stat().st_size < 2 * (2 + 2) * 12 * 4 + 1000
