"""How the steps of a training are made: the optimiser, and the schedule of its learning rate."""

from typing import Any, Literal

import torch
from torch import nn

from pipeline.core.params import Batch, Fraction, NotNegative, Positive, Section


class Optimisation(Section):
    """How the steps of a training are made; `one_cycle` is arXiv 1708.07120.

    `l1` weighs the sum of the trained weights' magnitudes as a further term of the loss; `clip` is
    the largest norm of all gradients together (default: any).
    """

    batch: Batch
    optimizer: Literal["adam", "adamw", "sgd", "rmsprop", "adagrad"]
    schedule: Literal["constant", "one_cycle"]
    weight_decay: NotNegative
    label_smoothing: Fraction
    l1: NotNegative = 0.0
    clip: Positive | None = None


def start(
    model: nn.Module, settings: Optimisation, rate: float, trunk_rate: float, steps: int
) -> tuple[torch.optim.Optimizer, torch.optim.lr_scheduler.LRScheduler | None]:
    """The optimiser of what is trained, and the schedule of its learning rate if that changes.

    Args:
        model: the weights that require a gradient are trained.
        settings: which optimiser and schedule.
        rate: the peak of the learning rate.
        trunk_rate: factor on it for the weights of the model's `trunk`.
        steps: of the whole training.
    """
    weights = _groups(model, rate, trunk_rate)
    given: dict[str, Any] = {"lr": rate, "weight_decay": settings.weight_decay}
    optimizer: torch.optim.Optimizer
    match settings.optimizer:
        case "adam":
            optimizer = torch.optim.Adam(weights, fused=True, **given)
        case "adamw":
            optimizer = torch.optim.AdamW(weights, fused=True, **given)
        case "sgd":
            optimizer = torch.optim.SGD(weights, momentum=0.9, nesterov=True, fused=True, **given)
        case "rmsprop":
            optimizer = torch.optim.RMSprop(weights, **given)
        case "adagrad":
            optimizer = torch.optim.Adagrad(weights, **given)
    if settings.schedule == "constant" or steps == 1:
        return optimizer, None
    return optimizer, torch.optim.lr_scheduler.OneCycleLR(
        optimizer,
        [group["lr"] for group in weights],
        total_steps=steps,
        cycle_momentum=settings.optimizer != "adagrad",  # which has none
    )


def _groups(model: nn.Module, rate: float, trunk_rate: float) -> list[dict[str, Any]]:
    """What is trained, with its learning rate; that of the trunk is last if it has its own."""
    trained = {name: weight for name, weight in model.named_parameters() if weight.requires_grad}
    if trunk_rate == 1:
        return [{"params": list(trained.values()), "lr": rate}]
    trunk = [weight for name, weight in trained.items() if name.startswith("trunk.")]
    rest = [weight for name, weight in trained.items() if not name.startswith("trunk.")]
    groups = [{"params": rest, "lr": rate}, {"params": trunk, "lr": rate * trunk_rate}]
    return [group for group in groups if group["params"]]
