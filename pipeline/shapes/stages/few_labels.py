"""Adapts the shape classifier with few labelled images, by the transfer and by its controls."""

import math
from itertools import product
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
from pydantic import Field

from pipeline.core.errors import InputError
from pipeline.core.labelled import Labelled
from pipeline.core.params import Count, Distinct, Positive, Section, Seed
from pipeline.core.seeding import derive
from pipeline.learning import loading
from pipeline.learning.augmentation import VIEWS
from pipeline.learning.compute import Compute
from pipeline.learning.optimisation import Optimisation
from pipeline.learning.training import Recipe
from pipeline.learning.validation import Validation
from pipeline.shapes import contenders

FOLDER = Path("data/shapes/few_labels")


class Steps(Section):
    """How long a contender trains, and its largest learning rate."""

    steps: Count
    learning_rate: Positive


class FewLabels(Optimisation):
    """`images` are labelled of every class; `batch` is at most as large as all of them."""

    images: Annotated[list[Count], Field(min_length=2), Distinct]
    frozen: Steps
    scratch: Steps
    random: Steps
    fine_tuned: Steps

    def recipe(self, contender: str, shown: int, labels: int) -> Recipe:
        """The recipe of a contender: about so many steps, in whole epochs.

        Args:
            contender: its name.
            shown: how many inputs an epoch shows.
            labels: how many images there are.
        """
        steps: Steps = getattr(self, contender)
        batch = min(self.batch, labels)
        epochs = max(1, round(steps.steps / math.ceil(shown / batch)))
        given = {name: getattr(self, name) for name in Optimisation.model_fields}
        return Recipe(
            **given | {"batch": batch},
            epochs=epochs,
            learning_rate=steps.learning_rate,
            patience=epochs,
        )


def main(seed: Seed, compute: Compute, few_labels: FewLabels) -> None:
    device = compute.start(threads=1)
    base = contenders.load_base()
    train = Labelled.load("data/shapes/images/target_train")

    available = min(np.bincount(train.labels))
    if too_many := [count for count in few_labels.images if count > available]:
        raise InputError(
            f"params.yaml: shapes.few_labels.images has {too_many[0]}, but there are only "
            f"{available} of every class (shapes.draw.images.train)"
        )
    for contender, count in product(contenders.ALL, few_labels.images):
        few = train.few(count, derive(seed, "label_efficiency", count))
        torch.manual_seed(derive(seed, "label_efficiency", contender.seed, count))
        model = contender.untrained(base, len(train.classes)).to(device)
        images, labels = loading.tensors(device, few)
        shown = len(labels) * (VIEWS if contender.frozen else 1)
        recipe = few_labels.recipe(contender.name, shown, len(labels))
        # Labels are what there is little of, so that none is spent on validation.
        validation = Validation.of(few, "overall", device)
        name = f"{contender.name}, {count} labels"
        curve = contenders.train(model, images, labels, recipe, validation, name)
        contenders.save(FOLDER / contender.name / str(count), model, base, curve)
