"""Adapts the shape classifier with few labelled images, by the transfer and by its controls."""

import math
from itertools import product
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import Field

from pipeline.core.errors import InputError
from pipeline.core.labelled import Labelled
from pipeline.core.params import Count, Distinct, Positive, Section, Seed
from pipeline.core.seeding import derive
from pipeline.learning.augmentation import VIEWS
from pipeline.learning.compute import Compute
from pipeline.learning.optimisation import Optimisation
from pipeline.learning.training import Recipe
from pipeline.shapes import contenders, trainings
from pipeline.shapes.contenders import Contender
from pipeline.shapes.trainings import Training

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

    def recipe(self, contender: Contender, labels: int) -> Recipe:
        """The recipe of a contender with so many images: about its steps, in whole epochs."""
        steps: Steps = getattr(self, contender.name)
        batch = min(self.batch, labels)
        shown = labels * (VIEWS if contender.frozen else 1)
        epochs = max(1, round(steps.steps / math.ceil(shown / batch)))
        given = {name: getattr(self, name) for name in Optimisation.model_fields}
        return Recipe(
            **given | {"batch": batch},
            epochs=epochs,
            learning_rate=steps.learning_rate,
            patience=epochs,
        )


def main(seed: Seed, compute: Compute, few_labels: FewLabels) -> None:
    base = contenders.load_base()
    train = Labelled.load("data/shapes/images/target_train")
    available = min(np.bincount(train.labels))
    if too_many := [count for count in few_labels.images if count > available]:
        raise InputError(
            f"params.yaml: shapes.few_labels.images has {too_many[0]}, but there are only "
            f"{available} of every class (shapes.draw.images.train)"
        )

    cases = list(product(contenders.ALL, few_labels.images))
    chosen = {
        count: train.few(count, derive(seed, "label_efficiency", count))
        for count in few_labels.images
    }
    given = [
        Training(
            contender,
            derive(seed, "label_efficiency", contender.seed, count),
            images=chosen[count],
            # Labels are what there is little of, so that none is spent on validation.
            held_out=chosen[count],
            recipe=few_labels.recipe(contender, len(chosen[count].labels)),
        )
        for contender, count in cases
    ]
    trained = trainings.run(base, given, compute, "few_labels")
    for (contender, count), (model, curve) in zip(cases, trained, strict=True):
        contenders.save(FOLDER / contender.name / str(count), model, base, curve)
