"""Adapts the shape classifier with few labelled images, by the transfer and by its controls."""

from itertools import product

import numpy as np
import torch
from pydantic import Field

from pipeline import contenders, models, training
from pipeline.compute import Compute
from pipeline.datasets import Labelled
from pipeline.errors import InputError
from pipeline.params import Count, Positive, Section, Seed
from pipeline.seeding import derive
from pipeline.training import Recipe
from pipeline.validation import Validation


class Steps(Section):
    """How long a contender trains, and its largest learning rate."""

    steps: Count
    learning_rate: Positive


class LabelEfficiency(Section):
    """`images` are labelled of every class."""

    images: list[Count] = Field(min_length=2)
    batch: Count
    transfer: Steps
    scratch: Steps
    random: Steps
    fine_tuned: Steps


def main(seed: Seed, compute: Compute, label_efficiency: LabelEfficiency) -> None:
    device = compute.start(threads=1)
    base = models.load("data/shapes_base/model.safetensors")
    train = Labelled.load("data/shapes/target_train.safetensors")

    available = min(np.bincount(train.labels))
    if too_many := [count for count in label_efficiency.images if count > available]:
        raise InputError(
            f"params.yaml: label_efficiency.images has {too_many[0]}, but there are only "
            f"{available} of every class (shapes.images.train)"
        )
    for name, count in product(contenders.NAMES, label_efficiency.images):
        few = train.few(count, derive(seed, "label_efficiency", count))
        torch.manual_seed(derive(seed, "label_efficiency", name, count))
        model = contenders.untrained(name, base, len(train.classes)).to(device)
        inputs, labels = training.join(device, few)
        views = training.VIEWS if name in contenders.FROZEN else 1
        batch = min(label_efficiency.batch, len(labels))
        chosen = getattr(label_efficiency, name)
        recipe = recipe_of(chosen, batch, -(-len(labels) * views // batch))
        # Labels are what there is little of, so that none is spent on validation.
        watched = Validation.of(few, "overall", device)
        contenders.train(model, inputs, labels, recipe, watched, f"{name}, {count} labels")
        models.save(f"data/label_efficiency/{name}_{count}.safetensors", model)


def recipe_of(chosen: Steps, batch: int, steps_per_epoch: int) -> Recipe:
    """A recipe of about so many steps, in whole epochs."""
    epochs = max(1, round(chosen.steps / steps_per_epoch))
    return Recipe(
        epochs=epochs,
        batch=batch,
        learning_rate=chosen.learning_rate,
        optimizer="adamw",
        schedule="one_cycle",
        weight_decay=0.01,
        label_smoothing=0.0,
        patience=epochs,
    )
