"""Gaussians in place of images."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from pipeline.techniques.statistics.gaussians import Gaussians


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


def test_replay_puts_samples_behind_the_real_features() -> None:
    inputs, labels = features()
    mixed, of_class = Gaussians.of(inputs, labels, 2).replay(10, inputs[:5], labels[:5] * 0)
    assert torch.equal(mixed[:5], inputs[:5])
    assert of_class.tolist() == [0] * 5 + [3] * 10 + [7] * 10


def test_kept_file_comes_back_and_is_small(tmp_path: Path) -> None:
    inputs, labels = features()
    kept = Gaussians.of(inputs, labels, 2)
    kept.save(tmp_path / "x")
    assert all(map(torch.equal, kept, Gaussians.load(tmp_path / "x")))
    assert (tmp_path / "x").stat().st_size < 2 * (2 + 2) * 12 * 4 + 1000
