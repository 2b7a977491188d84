"""Adapts the shape classifier with few labelled images, by the transfer and by its controls."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
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
from pipeline.learning.networks import Classifier
from pipeline.learning.optimisation import Optimisation
from pipeline.learning.training import Recipe
from pipeline.learning.validation import Validation
from pipeline.search import workers
from pipeline.search.workers import Outcome, Values
from pipeline.shapes import contenders
from pipeline.shapes.contenders import Contender

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


@dataclass(frozen=True)
class Trial:
    """A contender's training with few labels; it has random numbers of its own.

    `few` are the images by how many there are of every class.
    """

    seed: int
    settings: FewLabels
    base: Classifier
    few: Mapping[int, Labelled]
    device: torch.device

    def __call__(self, number: int, values: Values) -> Outcome:
        """Trains `contender` with `count` labels of every class; hands on the model."""
        contender, few = values["contender"], self.few[values["count"]]
        torch.manual_seed(derive(self.seed, "label_efficiency", contender.seed, values["count"]))
        model = contender.untrained(self.base, len(few.classes)).to(self.device)
        images, labels = loading.tensors(self.device, few)
        recipe = self.settings.recipe(contender, len(labels))
        # Labels are what there is little of, so that none is spent on validation.
        validation = Validation.of(few, "overall", self.device)
        curve = contenders.train(model, images, labels, recipe, validation)
        return Outcome(validation.score(curve[-1]), {}, (model, curve))


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
    few = {
        count: train.few(count, derive(seed, "label_efficiency", count))
        for count in few_labels.images
    }

    # Trainings of whole networks take the longest, and come first, so that no core waits for one.
    order = sorted(contenders.ALL, key=lambda contender: contender.frozen)
    cases = [{"contender": each, "count": count} for each, count in product(order, few)]
    trial = Trial(seed, few_labels, base, few, device)
    outcomes = workers.run_all(trial, cases, compute, "few_labels")
    for values, outcome in zip(cases, outcomes, strict=True):
        if outcome.result is None:
            name = values["contender"].name
            raise InputError(
                f"{name} diverged with {values['count']} labels; a lower "
                f"shapes.few_labels.{name}.learning_rate may help"
            )
    for values, outcome in zip(cases, outcomes, strict=True):
        model, curve = outcome.result
        folder = FOLDER / values["contender"].name / str(values["count"])
        contenders.save(folder, model, base, curve)
