"""Fine-tuning a whole network: its head alone first, or to the end with nothing to judge it by."""

import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Literal

import torch
from pydantic import Field
from torch import Tensor

from pipeline.core.labelled import Labelled
from pipeline.core.params import Count, Positive
from pipeline.learning import augmentation, loading, training
from pipeline.learning.augmentation import Augmentation
from pipeline.learning.loading import Rows
from pipeline.learning.networks import Classifier
from pipeline.learning.optimisation import Optimisation
from pipeline.learning.training import Curve, Recipe
from pipeline.learning.validation import Validation


class FineTuning(Recipe):
    """A training of trunk and head.

    For `probe_epochs` the head alone is trained first, as `least_steps` says too: linear probing,
    then fine-tuning (arXiv 2202.10054). `trunk_rate` multiplies the learning rate of the trunk.
    """

    probe_epochs: int = Field(ge=0)
    trunk_rate: Positive


class Unjudged(Optimisation):
    """A training that is never cut short; `augmentation: auto` takes what suits the images.

    `least_steps` as in a `Recipe`.
    """

    epochs: Count
    least_steps: int = Field(default=0, ge=0)
    learning_rate: Positive
    augmentation: Augmentation | Literal["auto"]

    def recipe(self) -> Recipe:
        """The same, with a patience that is not used."""
        given = {name: getattr(self, name) for name in Recipe.model_fields if name != "patience"}
        return Recipe(**given, patience=1)


def to_the_end(
    model: Classifier,
    parts: Sequence[Labelled],
    settings: Unjudged,
    device: torch.device,
    *,
    loss: Callable[[Tensor, Tensor], Tensor] | None = None,
    penalty: Callable[[], Tensor] | None = None,
    progress: str,
) -> None:
    """Trains a network in place as `training.fit` does, but chooses nothing on the way.

    Args:
        model: the weights that require a gradient are trained.
        parts: the images, one part after the other.
        settings: of the training.
        device: where the model is.
        loss: as for `training.fit`, as is `penalty`.
        penalty: a further term of the loss.
        progress: name of the progress bar.
    """
    training.fit(
        model,
        *loading.join(device, *parts),
        settings.recipe(),
        Validation.of(parts[-1], "overall", device),
        prepare=augmentation.chosen(settings.augmentation, parts[-1]),
        loss=loss,
        penalty=penalty,
        every=sys.maxsize,  # measured once, at the end
        progress=progress,
    )


def fit(
    model: Classifier,
    inputs: Tensor | Rows,
    labels: Tensor,
    recipe: FineTuning,
    validation: Validation,
    *,
    prepare: Callable[[Tensor], Tensor] | None,
    progress: str,
) -> Curve:
    """Trains a network in place as `training.fit` does, after its head alone if that is wanted.

    The best weights of the head alone are where the rest starts.

    Args:
        model: the weights that require a gradient are trained.
        inputs: as for `training.fit`, as are the other arguments.
        labels: of the inputs.
        recipe: of both parts.
        validation: what both parts are measured on.
        prepare: changes a batch of `inputs` first.
        progress: name of the progress bar.

    Returns:
        The curves of both parts, the second after the first.
    """
    probe: Curve = []
    if recipe.probe_epochs:
        trained = [weight for weight in model.trunk.parameters() if weight.requires_grad]
        _require_gradients(trained, False)
        alone = recipe.model_copy(update={"epochs": recipe.probe_epochs})
        probe = training.fit(
            model, inputs, labels, alone, validation, prepare=prepare, progress=f"{progress}, head"
        )
        _require_gradients(trained, True)
    curve = training.fit(
        model,
        inputs,
        labels,
        recipe,
        validation,
        prepare=prepare,
        progress=progress,
        trunk_rate=recipe.trunk_rate,
    )
    before = probe[-1] if probe else {"epoch": 0, "step": 0}
    later = [row | {key: row[key] + before[key] for key in ("epoch", "step")} for row in curve]
    return [*probe, *later]


def _require_gradients(weights: Iterable[Tensor], required: bool) -> None:
    for weight in weights:
        weight.requires_grad_(required)
