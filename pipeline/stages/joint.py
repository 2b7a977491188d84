"""Joint training: goes on from the base with all weights and all data, as the upper reference."""

import torch

from pipeline import methods, models, training
from pipeline.compute import Compute
from pipeline.datasets import Labelled
from pipeline.params import Seed
from pipeline.seeding import derive
from pipeline.training import Augmentation, Recipe
from pipeline.validation import Validation


class Joint(Recipe):
    augmentation: Augmentation


def main(seed: Seed, compute: Compute, joint: Joint) -> None:
    device = compute.start()
    torch.manual_seed(derive(seed, "joint"))
    model = models.load("data/methods/base/model.safetensors").to(device)
    old = Labelled.load("data/split/old_train.safetensors")
    new = Labelled.load("data/split/new_train.safetensors")
    validation = Labelled.load("data/split/validation.safetensors")

    curve = training.fit(
        model,
        *training.join(device, old, new),
        joint,
        Validation.of(validation, "overall", device),
        prepare=joint.augmentation,
        progress="joint",
    )
    methods.save(
        "joint",
        model,
        trainable=models.trainable_parameters(model),
        kept_bytes=old.inputs.nbytes,
        curve=curve,
    )
