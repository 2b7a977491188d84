"""Naive fine-tuning, the lower bound: all weights go on from the base, on the new images alone.

Nothing says what is not of a new class, so that everything becomes one; that is what the other
methods prevent. The recipe runs to its end: new images cannot tell when the old ones are lost.
"""

import sys
from copy import deepcopy
from typing import Literal

import torch
from pydantic import Field

from pipeline.core.labelled import Labelled
from pipeline.core.params import Count, Positive, Seed
from pipeline.core.seeding import derive
from pipeline.learning import augmentation, training
from pipeline.learning.augmentation import Augmentation
from pipeline.learning.compute import Compute
from pipeline.learning.training import Optimisation, Recipe
from pipeline.learning.validation import Validation
from pipeline.new_class import results


class FinetuneAll(Optimisation):
    """A training that is never cut short; `augmentation: auto` takes what suits the images."""

    epochs: Count
    least_steps: int = Field(ge=0)
    learning_rate: Positive
    augmentation: Augmentation | Literal["auto"]

    def recipe(self) -> Recipe:
        """The same, with a patience that is not used."""
        return Recipe(**self.model_dump(exclude={"augmentation"}), patience=1)


def main(seed: Seed, compute: Compute, finetune_all: FinetuneAll) -> None:
    device = compute.start()
    torch.manual_seed(derive(seed, "finetune_all"))
    base = results.load_base()
    new = Labelled.load("data/split/new_train")
    results.require_new(new)

    model = deepcopy(base).to(device)
    training.fit(
        model,
        *training.tensors(device, new),
        finetune_all.recipe(),
        Validation.of(new, "overall", device),
        prepare=augmentation.chosen(finetune_all.augmentation, new),
        every=sys.maxsize,  # measured once, at the end: nothing is chosen
        progress="finetune_all",
    )
    results.save("finetune_all", model, base)
