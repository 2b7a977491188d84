"""Adapts the shape classifier to the target classes, and trains controls beside it."""

import torch

from pipeline import artifacts, contenders, models, training
from pipeline.compute import Compute
from pipeline.datasets import Labelled
from pipeline.params import Section, Seed
from pipeline.seeding import derive
from pipeline.training import Recipe
from pipeline.validation import Validation


class Transfer(Section):
    """The recipe of each contender.

    `transfer` freezes the base's convolutions; `scratch` trains a new network; `random` freezes
    convolutions that were never trained; `fine_tuned` trains all of the base's weights.
    """

    transfer: Recipe
    scratch: Recipe
    random: Recipe
    fine_tuned: Recipe


def main(seed: Seed, compute: Compute, transfer: Transfer) -> None:
    device = compute.start()
    base = models.load("data/shapes_base/model.safetensors")
    train = Labelled.load("data/shapes/target_train.safetensors")
    validation = Labelled.load("data/shapes/target_validation.safetensors")
    watched = Validation.of(validation, "overall", device)

    for name in Transfer.model_fields:
        torch.manual_seed(derive(seed, "transfer", name))
        model = contenders.untrained(name, base, len(train.classes)).to(device)
        recipe = getattr(transfer, name)
        curve = contenders.train(model, *training.join(device, train), recipe, watched, name)
        models.save(f"data/transfer/{name}.safetensors", model)
        artifacts.save_table(f"data/transfer/{name}.csv", curve)
