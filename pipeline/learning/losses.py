"""Losses beside the cross-entropy, for what a model knew before."""

import torch.nn.functional as F
from torch import Tensor


def distillation(logits: Tensor, before: Tensor, temperature: float) -> Tensor:
    """The cross-entropy with what a model said before, both softened (arXiv 1503.02531).

    It differs from the Kullback-Leibler divergence by the entropy of what was said, which no
    training changes.

    Args:
        logits: `(batch, classes)`.
        before: those of the model that is distilled, of the same shape.
        temperature: by which both are divided.

    Returns:
        The mean, in nats.
    """
    return F.cross_entropy(logits / temperature, (before / temperature).softmax(1))


def dark_experience(
    logits: Tensor, losses: Tensor, old: Tensor, before: Tensor, alpha: float, beta: float
) -> Tensor:
    """The loss of DER++ (arXiv 2004.07211, equation 6) of a batch of new and of kept images.

    Args:
        logits: `(batch, classes)`.
        losses: `(batch,)`, the cross-entropy of each.
        old: `(batch,)`, bool: which are kept images.
        before: `(kept, classes)`: their logits when they were kept.
        alpha: weight of their squared difference from now, a mean over classes.
        beta: weight of the cross-entropy of kept images.

    Returns:
        The mean over the batch: with `alpha` 0 and `beta` 1 that of `losses`.
    """
    weighted = losses.where(~old, beta * losses)
    squared = (logits[old] - before).square().mean(1)
    return (weighted.sum() + alpha * squared.sum()) / len(losses)
