"""Trains the wide network on the first task, some of the classes."""

import torch
from pydantic import Field

from pipeline.core.labelled import Labelled
from pipeline.core.params import ClassName, Fraction, Seed
from pipeline.core.seeding import derive
from pipeline.learning import loading, models, networks, training
from pipeline.learning.augmentation import Augmentation
from pipeline.learning.compute import Compute
from pipeline.learning.training import Recipe
from pipeline.learning.validation import Validation
from pipeline.ranks import wide


class Pretrain(Recipe):
    """`classes` come first; the sweep goes on with the others, or some of them."""

    classes: list[ClassName] = Field(min_length=1)
    dropout: Fraction
    augmentation: Augmentation


def main(seed: Seed, compute: Compute, pretrain: Pretrain) -> None:
    device = compute.start()
    torch.manual_seed(derive(seed, "wide_pretrain"))
    train = wide.first_task(Labelled.load("data/ranks/images/train"), pretrain.classes)
    validation = wide.first_task(Labelled.load("data/ranks/images/validation"), pretrain.classes)

    model = networks.mlp(train.inputs.shape[1:], len(train.classes), pretrain.dropout)
    models.initialise(model, "he")
    curve = training.fit(
        model.to(device),
        *loading.tensors(device, train),
        pretrain,
        Validation.of(validation, "overall", device),
        prepare=pretrain.augmentation,
        progress="ranks_pretrain",
    )
    wide.save_base(model, pretrain.classes, curve)
