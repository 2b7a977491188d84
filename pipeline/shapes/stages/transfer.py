"""Adapts the shape classifier to the target classes, and trains controls beside it."""

from pathlib import Path

import torch

from pipeline.core.labelled import Labelled
from pipeline.core.params import Section, Seed
from pipeline.core.seeding import derive
from pipeline.learning import loading
from pipeline.learning.compute import Compute
from pipeline.learning.training import Recipe
from pipeline.learning.validation import Validation
from pipeline.shapes import contenders


class Transfer(Section):
    """The recipe of each contender.

    `frozen` keeps the base's convolutions as they are; `fine_tuned` trains all of the base's
    weights; `scratch` trains a new network; `random` keeps convolutions that were never trained.
    """

    frozen: Recipe
    scratch: Recipe
    random: Recipe
    fine_tuned: Recipe


def main(seed: Seed, compute: Compute, transfer: Transfer) -> None:
    device = compute.start()
    base = contenders.load_base()
    train = Labelled.load("data/shapes/images/target_train")
    held_out = Labelled.load("data/shapes/images/target_validation")
    validation = Validation.of(held_out, "overall", device)

    for contender in contenders.ALL:
        torch.manual_seed(derive(seed, "transfer", contender.seed))
        model = contender.untrained(base, len(train.classes)).to(device)
        recipe = getattr(transfer, contender.name)
        images, labels = loading.tensors(device, train)
        curve = contenders.train(model, images, labels, recipe, validation, contender.name)
        contenders.save(Path("data/shapes/transfer", contender.name), model, base, curve)
