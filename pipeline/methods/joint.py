"""Joint training: goes on from the base with all weights and all data, as the upper reference."""

from copy import deepcopy
from typing import Literal

import torch

from pipeline.core.labelled import Labelled
from pipeline.core.params import Seed
from pipeline.core.seeding import derive
from pipeline.learning import augmentation, loading, training
from pipeline.learning.augmentation import Augmentation
from pipeline.learning.compute import Compute
from pipeline.learning.training import Recipe
from pipeline.learning.validation import Validation
from pipeline.new_class import results
from pipeline.new_class.results.steps import one_after_another


class Joint(Recipe):
    """`augmentation: auto` takes what suits the images."""

    augmentation: Augmentation | Literal["auto"]


@one_after_another
def main(seed: Seed, compute: Compute, joint: Joint) -> None:
    device = compute.start()
    torch.manual_seed(derive(seed, "joint"))
    base = results.load_base()
    old = Labelled.load("data/split/old_train")
    new = Labelled.load("data/split/new_train")
    if not len(old.labels):
        results.left_out("joint", "images of the old classes")
        return
    validation = results.validation("split")

    model = deepcopy(base).to(device)
    curve = training.fit(
        model,
        *loading.join(device, old, new),
        joint,
        Validation.of(validation, "overall", device),
        prepare=augmentation.chosen(joint.augmentation, old),
        progress="joint",
    )
    kept_bytes = results.old_count(old, validation) * base.input_bytes
    results.save("joint", model, base, kept_bytes=kept_bytes, curve=curve)
