"""Losses for what a model knew before."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from pipeline.learning import losses


def logits(seed: int, count: int = 12) -> Tensor:
    return 3 * torch.randn(count, 5, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("temperature", [1.0, 2.0])
def test_distillation_is_the_divergence_but_for_the_entropy_of_what_was_said(
    temperature: float,
) -> None:
    now, before = logits(0).requires_grad_(True), logits(1)
    said = (before / temperature).softmax(1)
    divergence = F.kl_div((now / temperature).log_softmax(1), said, reduction="batchmean")
    own = losses.distillation(now, before, temperature)
    entropy = -(said * said.log()).sum(1).mean()
    torch.testing.assert_close(own, divergence + entropy)
    gradients = [torch.autograd.grad(value, now)[0] for value in (own, divergence)]
    torch.testing.assert_close(*gradients)


def dark(alpha: float, beta: float) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The loss of a batch of four new and eight kept images, and the three means of the paper."""
    now, before, labels = logits(0), logits(1, 8), torch.arange(12) % 5
    old = torch.arange(12) >= 4
    each = F.cross_entropy(now, labels, reduction="none")
    loss = losses.dark_experience(now, each, old, before, alpha, beta)
    return loss, each[~old].mean(), F.mse_loss(now[old], before), each[old].mean()


def test_dark_experience_has_the_three_terms_of_the_paper_by_their_share_of_the_batch() -> None:
    loss, new, difference, kept = dark(0.3, 0.7)
    torch.testing.assert_close(loss, 4 / 12 * new + 8 / 12 * (0.3 * difference + 0.7 * kept))


def test_dark_experience_without_the_old_logits_is_replay() -> None:
    loss, new, _, kept = dark(0.0, 1.0)
    torch.testing.assert_close(loss, 4 / 12 * new + 8 / 12 * kept)


def test_a_batch_without_kept_images_has_the_cross_entropy() -> None:
    now, none = logits(0), torch.zeros(12, dtype=torch.bool)
    each = F.cross_entropy(now, torch.arange(12) % 5, reduction="none")
    loss = losses.dark_experience(now, each, none, logits(1, 0), 1.0, 1.0)
    torch.testing.assert_close(loss, each.mean())
