"""fit(): the one training loop."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any, Literal

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn
from tqdm import tqdm

from pipeline.compute import half_precision, keep_freed_memory
from pipeline.datasets import Labelled
from pipeline.params import Count, NotNegative, Positive, Section
from pipeline.validation import Score, Validation

Curve = list[dict[str, Any]]

VIEWS = 8
"""The ways to turn and mirror a square image."""

FEW = 250
"""Images to predict at a time where many would take much memory."""


class Recipe(Section):
    """How to train: the optimiser, its steps and when to stop.

    `learning_rate` is the peak of the schedule; `one_cycle` is arXiv 1708.07120. `patience` counts
    validations without a better score.
    """

    epochs: Count
    batch: Count
    learning_rate: Positive
    optimizer: Literal["adam", "adamw", "sgd", "rmsprop"]
    schedule: Literal["constant", "one_cycle"]
    weight_decay: NotNegative
    label_smoothing: float = Field(ge=0, lt=1)
    patience: Count


class Augmentation(Section):
    """Largest rotation (radians), relative change of size and move (pixels); 0 is none."""

    rotation: NotNegative
    scale: float = Field(ge=0, lt=1)
    translation: NotNegative

    def __call__(self, images: Tensor) -> Tensor:
        """Changes a batch of images at random, as `random_affine`."""
        if not (self.rotation or self.scale or self.translation):
            return images
        return random_affine(images, self.rotation, self.scale, self.translation)


def fit(
    model: nn.Module,
    inputs: Tensor,
    labels: Tensor,
    recipe: Recipe,
    validation: Validation,
    *,
    prepare: Callable[[Tensor], Tensor] | None = None,
    penalty: Callable[[], Tensor] | None = None,
    every: int | None = None,
    progress: str | None = None,
) -> Curve:
    """Trains a model in place by cross-entropy, and leaves it with its best weights.

    Random numbers come from PyTorch's global generator: seed it first.

    Args:
        model: `inputs` to logits; the weights that require a gradient are trained.
        inputs: `(n, …)`, all training inputs, on the model's device.
        labels: `(n,)`, int64, or probabilities `(n, classes)`, float32; on the same device.
        recipe: optimiser, schedule, stopping.
        validation: what the model is measured on; the weights of the best score are kept.
        prepare: changes a batch of `inputs` first, at random or in type; those of `validation` are
            taken as they are.
        penalty: a further term of the loss.
        every: steps between validations (default: an epoch).
        progress: name of the progress bar (default: none is shown).

    Returns:
        One row per validation: epoch, step, learning rate, mean training loss since the last one,
        and what `validation` measured.
    """
    keep_freed_memory()
    precision = half_precision(inputs.device)
    steps_per_epoch = -(-len(inputs) // recipe.batch)
    total = steps_per_epoch * recipe.epochs
    every = every or steps_per_epoch
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    optimizer = _optimizer(weights, recipe)
    schedule = (
        torch.optim.lr_scheduler.OneCycleLR(optimizer, recipe.learning_rate, total_steps=total)
        if recipe.schedule == "one_cycle" and total > 1
        else None
    )
    curve: Curve = []
    best: tuple[Score, dict[str, Tensor]] | None = None
    waited = step = 0
    losses: list[Tensor] = []
    bar = tqdm(total=total, desc=progress, unit="step", disable=None if progress else True)
    with bar:
        for epoch in range(1, recipe.epochs + 1):
            order = torch.randperm(len(inputs), device=inputs.device)
            for chosen in order.split(recipe.batch):
                batch = prepare(inputs[chosen]) if prepare else inputs[chosen]
                with precision:
                    logits = model.train()(batch)
                    loss = F.cross_entropy(
                        logits, labels[chosen], label_smoothing=recipe.label_smoothing
                    )
                if penalty:
                    loss = loss + penalty()
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                rate = optimizer.param_groups[0]["lr"]
                if schedule:
                    schedule.step()
                losses.append(loss.detach())
                step += 1
                bar.update()
                if step % every and step != total:
                    continue
                measured = validation.measure(predict(model, validation.inputs))
                score = validation.score(measured)
                mean = float(torch.stack(losses).mean())
                losses.clear()
                curve.append(
                    {"epoch": epoch, "step": step, "learning_rate": rate, "train_loss": mean}
                    | measured
                )
                bar.set_postfix(accuracy=f"{measured['accuracy']:.4f}")
                if best is None or score > best[0]:
                    best, waited = (score, deepcopy(model.state_dict())), 0
                    continue
                waited += 1
                if waited >= recipe.patience:
                    break
            if waited >= recipe.patience:
                break
    assert best is not None
    model.load_state_dict(best[1])
    model.eval()
    return curve


def _optimizer(weights: list[nn.Parameter], recipe: Recipe) -> torch.optim.Optimizer:
    settings: dict[str, Any] = {"lr": recipe.learning_rate, "weight_decay": recipe.weight_decay}
    match recipe.optimizer:
        case "adam":
            return torch.optim.Adam(weights, fused=True, **settings)
        case "adamw":
            return torch.optim.AdamW(weights, fused=True, **settings)
        case "sgd":
            return torch.optim.SGD(weights, momentum=0.9, nesterov=True, fused=True, **settings)
        case "rmsprop":
            return torch.optim.RMSprop(weights, **settings)


def predict(model: nn.Module, inputs: Tensor, batch: int = 1000) -> Tensor:
    """Computes a model's outputs for many inputs, dropout off, without gradients."""
    with torch.inference_mode():
        return torch.cat([model.eval()(part) for part in inputs.split(batch)])


def join(device: torch.device, *parts: Labelled) -> tuple[Tensor, Tensor]:
    """Puts the inputs and the labels of some parts together, on a device."""
    inputs = torch.cat([torch.from_numpy(part.inputs) for part in parts])
    labels = torch.cat([torch.from_numpy(part.labels) for part in parts])
    return inputs.to(device), labels.to(device)


def random_affine(images: Tensor, rotation: float, scale: float, translation: float) -> Tensor:
    """Turns, scales and moves every image of a batch at random, each by its own draw.

    Args:
        images: `(n, channels, height, width)`, uint8 or float in [0, 1].
        rotation: largest angle, radians.
        scale: largest relative change of size.
        translation: largest move, pixels.

    Returns:
        float32 in [0, 1], of the same shape; what comes in from outside is 0.
    """
    count, _, height, width = images.shape
    draws = torch.rand(4, count, device=images.device) * 2 - 1
    angle, size = draws[0] * rotation, 1 + draws[1] * scale
    cosine, sine = angle.cos() / size, angle.sin() / size
    right, down = draws[2] * (2 * translation / width), draws[3] * (2 * translation / height)
    matrix = torch.stack([cosine, -sine, right, sine, cosine, down], dim=1).view(count, 2, 3)
    grid = F.affine_grid(matrix, list(images.shape), align_corners=False)
    pixels = images.float() / 255 if images.dtype == torch.uint8 else images
    return F.grid_sample(pixels, grid, align_corners=False)


def random_turn(images: Tensor) -> Tensor:
    """Turns and mirrors square images `(n, channels, h, h)`, all in one way, drawn at random."""
    return turned(images, int(torch.randint(VIEWS, ())))


def turned(images: Tensor, view: int) -> Tensor:
    """Square images turned by 90° `view // 2` times, and mirrored if `view` is odd."""
    images = images.rot90(view // 2, (2, 3))
    return images.flip(3) if view % 2 else images
