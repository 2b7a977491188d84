"""fit(): the one training loop."""

import math
from collections.abc import Callable, Iterator
from copy import deepcopy

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn
from tqdm import tqdm

from pipeline.core.artifacts import Records
from pipeline.core.errors import DivergenceError
from pipeline.core.params import Count, Positive
from pipeline.learning import optimisation
from pipeline.learning.compute import half_precision
from pipeline.learning.loading import Rows
from pipeline.learning.optimisation import Optimisation
from pipeline.learning.validation import Score, Validation

Curve = Records

MOST = 1000
"""Inputs to predict at a time, at most."""
NUMBERS = MOST * 64 * 64
"""Of inputs that are predicted at a time, at most."""
WIDEST = 2_000_000
"""Numbers that a layer makes at a time, at most: 8 MB, which caches hold. (Memory beyond what
`process.prepare` keeps takes as long to come anew from the system as the arithmetic.)"""


class Recipe(Optimisation):
    """A training: how its steps are made, how many there are, and when it stops.

    `learning_rate` is the peak of the schedule. `patience` counts validations without a better
    score. Where an epoch would have fewer than `least_steps`, it goes through the images again
    until it has, so that one recipe serves few images and many.
    """

    epochs: Count
    least_steps: int = Field(default=0, ge=0)
    learning_rate: Positive
    patience: Count


def fit(
    model: nn.Module,
    inputs: "Tensor | Rows",
    labels: Tensor,
    recipe: Recipe,
    validation: Validation,
    *,
    prepare: Callable[[Tensor], Tensor] | None = None,
    loss: Callable[[Tensor, Tensor], Tensor] | None = None,
    penalty: Callable[[], Tensor] | None = None,
    every: int | None = None,
    progress: str | None = None,
    trunk_rate: float = 1.0,
) -> Curve:
    """Trains a model in place, and leaves it with its best weights.

    Random numbers come from PyTorch's global generator: seed it first.

    Args:
        model: `inputs` to logits; the weights that require a gradient are trained.
        inputs: `(n, …)`, all training inputs, on the model's device, or rows of them.
        labels: `(n,)`, int64, or probabilities `(n, classes)`, float32; on the same device.
        recipe: optimiser, schedule, stopping.
        validation: what the model is measured on; the weights of the best score are kept.
        prepare: changes a batch of `inputs` first, at random or in type; those of `validation` are
            taken as they are.
        loss: of a batch, from its logits `(batch, classes)` and its places `(batch,)` among the
            inputs (default: the cross-entropy).
        penalty: a further term of the loss.
        every: steps between validations (default: an epoch).
        progress: name of the progress bar (default: none is shown).
        trunk_rate: factor on the learning rate of the weights of the model's `trunk`.

    Raises:
        DivergenceError: if the loss is not finite any more; the model is of no use then.

    Returns:
        One row per validation: epoch, step, learning rate, mean training loss since the last one,
        and what `validation` measured.
    """

    def cross_entropy(logits: Tensor, chosen: Tensor) -> Tensor:
        smoothing = recipe.label_smoothing
        return F.cross_entropy(logits, labels[chosen], label_smoothing=smoothing)

    of_batch = loss or cross_entropy
    trained = [weight for weight in model.parameters() if weight.requires_grad]
    precision = half_precision(inputs.device)
    steps_per_pass = math.ceil(len(inputs) / recipe.batch)
    passes = max(1, math.ceil(recipe.least_steps / steps_per_pass))
    steps_per_epoch = steps_per_pass * passes
    total = steps_per_epoch * recipe.epochs
    every = every or steps_per_epoch
    optimizer, schedule = optimisation.start(model, recipe, recipe.learning_rate, trunk_rate, total)
    curve: Curve = []
    best: tuple[Score, dict[str, Tensor]] | None = None
    waited = 0
    losses: list[Tensor] = []
    bar = tqdm(total=total, desc=progress, unit="step", disable=None if progress else True)
    model.train()
    with bar:
        batches = _batches(len(inputs), recipe.batch, passes * recipe.epochs, inputs.device)
        for step, chosen in enumerate(batches, start=1):
            batch = prepare(inputs[chosen]) if prepare else inputs[chosen]
            with precision:
                logits = model(batch)
                value = of_batch(logits, chosen)
            if penalty:
                value = value + penalty()
            if recipe.l1:
                value = value + recipe.l1 * torch.stack([w.abs().sum() for w in trained]).sum()
            optimizer.zero_grad()
            value.backward()
            if recipe.clip:
                nn.utils.clip_grad_norm_(trained, recipe.clip)
            optimizer.step()
            rate = optimizer.param_groups[0]["lr"]
            if schedule:
                schedule.step()
            losses.append(value.detach())
            bar.update()
            if step % every and step != total:
                continue
            measured = validation.measure(predict(model, validation.inputs))
            score = validation.score(measured)
            mean = float(torch.stack(losses).mean())
            losses.clear()
            if not math.isfinite(mean + measured["loss"]):
                raise DivergenceError(
                    f"the loss is not finite any more at step {step}, learning rate {rate:.2g}; "
                    "a lower rate may help"
                )
            epoch = math.ceil(step / steps_per_epoch)
            row = {"epoch": epoch, "step": step, "learning_rate": rate, "train_loss": mean}
            curve.append(row | measured)
            bar.set_postfix(accuracy=f"{measured['accuracy']:.4f}")
            if best is None or score > best[0]:
                best, waited = (score, deepcopy(model.state_dict())), 0
            else:
                waited += 1
            if waited >= recipe.patience:
                break
    assert best is not None
    model.load_state_dict(best[1])
    model.eval()
    return curve


def _batches(count: int, size: int, passes: int, device: torch.device) -> Iterator[Tensor]:
    """The indices of all batches, drawn anew for every pass over the inputs when it begins."""
    for _ in range(passes):
        yield from torch.randperm(count, device=device).split(size)


def predict(model: nn.Module, inputs: Tensor) -> Tensor:
    """Computes a model's outputs for many inputs `(n, …)`, dropout off, without gradients.

    It takes 1,000 at a time, or so few that no layer's outputs take much memory.
    """
    training = model.training
    if any(module.training for module in model.modules()):  # to switch takes as long as an image
        model.eval()
    with torch.inference_mode():
        parts = inputs.split(_at_once(model, inputs))
        outputs = torch.cat([model(part) for part in parts])
    if training:
        model.train()
    return outputs


def _at_once(model: nn.Module, inputs: Tensor) -> int:
    """How many inputs to predict at a time; what a layer makes of one is seen at the first."""
    if len(inputs) <= 1:
        return MOST
    widest = 1

    def see(module: nn.Module, given: object, output: object) -> None:
        nonlocal widest
        widest = max(widest, output.numel() if isinstance(output, Tensor) else 1)

    hooks = [module.register_forward_hook(see) for module in model.modules()]
    model(inputs[:1])
    for hook in hooks:
        hook.remove()
    return max(1, min(MOST, NUMBERS // max(1, inputs[0].numel()), WIDEST // widest))
