"""Ways to adapt a model to another task: the transfer, and the controls it is compared with."""

from collections.abc import Iterable
from dataclasses import replace

import torch
from torch import Tensor, nn

from pipeline import models, training
from pipeline.models import Classifier
from pipeline.training import Curve, Recipe
from pipeline.validation import Validation

NAMES = ("transfer", "scratch", "random", "fine_tuned")
PRETRAINED = ("transfer", "fine_tuned")
FROZEN = ("transfer", "random")


def untrained(name: str, base: Classifier, classes: int) -> Classifier:
    """The model that a contender starts from.

    Args:
        name: `transfer` has the base's weights, its trunk frozen; `fine_tuned` has them, all
            trainable; `scratch` is new, all trainable; `random` is new, its trunk frozen.
        base: trained on another task.
        classes: of the new task, whose output layer is always new.
    """
    model = models.build(base.description | {"classes": classes})
    models.initialise(model, "he")
    if name in PRETRAINED:
        ours = model.state_dict()
        theirs = base.state_dict().items()
        model.load_state_dict(
            {key: ours[key] if key.startswith("head.output") else value for key, value in theirs}
        )
    model.trunk.requires_grad_(name not in FROZEN)
    return model


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
        model: from `untrained`.
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
            model,
            images,
            labels,
            recipe,
            validation,
            prepare=training.random_turn,
            progress=progress,
        )
    made = features(model.trunk, [images], len(images))
    repeated = torch.cat([labels] * training.VIEWS)
    return train_head(model, made, repeated, recipe, validation, progress)


def train_head(
    model: Classifier,
    features: Tensor,
    labels: Tensor,
    recipe: Recipe,
    validation: Validation,
    progress: str | None = None,
) -> Curve:
    """Trains the head, in place, on what the frozen trunk made of images.

    Args:
        model: from `untrained`.
        features: from `features`.
        labels: `(n,)`, int64, or the probabilities of the classes `(n, classes)`, float32.
        recipe: of the training.
        validation: images and labels.
        progress: name of the progress bar.

    Returns:
        The curve of `training.fit`.
    """
    watched = replace(validation, inputs=training.predict(model.trunk, validation.inputs))
    return training.fit(
        model.head, features, labels, recipe, watched, prepare=Tensor.float, progress=progress
    )


def features(trunk: nn.Module, parts: Iterable[Tensor], count: int) -> Tensor:
    """What a frozen trunk makes of square images in every view.

    Args:
        trunk: a classifier's.
        parts: images `(n, channels, h, h)`, uint8, one part after the other, for they may be large.
        count: of all images.

    Returns:
        `(VIEWS · count, width)`, float16, for they are most of the memory: all views of the first
        part, one after the other, then those of the next.
    """
    result = torch.empty(0)
    done = 0
    for images in parts:
        for view in range(training.VIEWS):
            for batch in images.split(training.FEW):
                made = training.predict(trunk, training.turned(batch, view))
                if not done:
                    shape = (training.VIEWS * count, made.shape[1])
                    result = made.new_empty(shape, dtype=torch.float16)
                result[done : done + len(made)] = made
                done += len(made)
    assert done == len(result)
    return result
