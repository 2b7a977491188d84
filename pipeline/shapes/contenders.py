"""Ways to adapt a model to another task: transfer of its features, and what it is compared with."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn

from pipeline.core import artifacts
from pipeline.learning import changes, models, training
from pipeline.learning.augmentation import VIEWS, random_turn, turned
from pipeline.learning.networks import Classifier
from pipeline.learning.training import Curve, Recipe
from pipeline.learning.validation import Validation

BASE = Path("data/shapes/base")
FEW = 250
"""Images that are turned at a time, for memory."""


@dataclass(frozen=True)
class Contender:
    """A way to adapt a model.

    Attributes:
        name: as in parameters, tables and folders.
        pretrained: whether it starts from the base's weights; if not, from new ones.
        frozen: whether its trunk stays as it is.
        seed: its word in seeds.
    """

    name: str
    pretrained: bool
    frozen: bool
    seed: str

    def untrained(self, base: Classifier, classes: int) -> Classifier:
        """The model that it starts from, its output layer new.

        Args:
            base: trained on another task.
            classes: of the new task.
        """
        model = models.build(base.description | {"classes": classes})
        models.initialise(model, "he")
        if self.pretrained:
            own = model.state_dict()
            given = base.state_dict().items()
            model.load_state_dict(
                {key: own[key] if key.startswith("head.output") else value for key, value in given}
            )
        model.trunk.requires_grad_(not self.frozen)
        return model


FROZEN = Contender("frozen", pretrained=True, frozen=True, seed="transfer")
ALL = (
    FROZEN,
    Contender("scratch", pretrained=False, frozen=False, seed="scratch"),
    Contender("random", pretrained=False, frozen=True, seed="random"),
    Contender("fine_tuned", pretrained=True, frozen=False, seed="fine_tuned"),
)


def save_base(model: Classifier, curve: Curve) -> None:
    """Saves the shape classifier, and its training."""
    models.save(BASE / "model.safetensors", model)
    artifacts.save_table(BASE / "curve.csv", curve)


def load_base() -> Classifier:
    """The shape classifier."""
    return models.load(BASE / "model.safetensors")


def save(folder: Path, model: Classifier, base: Classifier, curve: Curve) -> None:
    """Saves what a training changed, and its curve."""
    changes.save(folder, model, base)
    artifacts.save_table(folder / "curve.csv", curve)


def train(
    model: Classifier,
    images: Tensor,
    labels: Tensor,
    recipe: Recipe,
    validation: Validation,
    progress: str | None = None,
) -> Curve:
    """Trains what isn't frozen on images turned and mirrored in all eight ways, in place.

    Args:
        model: of a contender, untrained.
        images: `(n, channels, h, h)`, uint8.
        labels: `(n,)`, int64.
        recipe: an epoch shows each image once, in a random view; a frozen trunk's features are
            computed once for all views, and an epoch shows them all.
        validation: images and labels.
        progress: name of the progress bar.

    Returns:
        The curve of `training.fit`.
    """
    if any(weight.requires_grad for weight in model.trunk.parameters()):
        return training.fit(
            model, images, labels, recipe, validation, prepare=random_turn, progress=progress
        )
    repeated = torch.cat([labels] * VIEWS)
    return train_head(
        model, features(model.trunk, [images]), repeated, recipe, validation, progress
    )


def train_head(
    model: Classifier,
    features: Tensor,
    labels: Tensor,
    recipe: Recipe,
    validation: Validation,
    progress: str | None = None,
) -> Curve:
    """Trains the head, in place, on the frozen trunk's features; otherwise as `train`.

    Args:
        model: of a contender, untrained.
        features: from `features`.
        labels: `(n,)`, int64, or the probabilities of the classes `(n, classes)`, float32.
        recipe: of the training.
        validation: images and labels.
        progress: name of the progress bar.
    """
    on_features = replace(validation, inputs=training.predict(model.trunk, validation.inputs))
    return training.fit(
        model.head, features, labels, recipe, on_features, prepare=Tensor.float, progress=progress
    )


def features(trunk: nn.Module, parts: Sequence[Tensor]) -> Tensor:
    """A frozen trunk's features of square images in every view.

    Args:
        trunk: a classifier's.
        parts: images `(n, channels, h, h)`, uint8, in parts.

    Returns:
        `(VIEWS · n, width)`, float16, for they are most of the memory: all views of the first
        part, one after the other, then those of the next.
    """
    width = training.predict(trunk, parts[0][:1]).shape[1]
    count = VIEWS * sum(map(len, parts))
    found = torch.empty(count, width, dtype=torch.float16, device=parts[0].device)
    start = 0
    for batch in _views(parts):
        found[start : start + len(batch)] = training.predict(trunk, batch)
        start += len(batch)
    return found


def _views(parts: Sequence[Tensor]) -> Iterator[Tensor]:
    for images in parts:
        for view in range(VIEWS):
            for batch in images.split(FEW):
                yield turned(batch, view)
