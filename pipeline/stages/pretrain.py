"""Trains the base model on the old classes alone."""

import torch
from pydantic import Field

from pipeline import methods, models, training
from pipeline.compute import Compute
from pipeline.datasets import Labelled
from pipeline.models import Initialisation
from pipeline.params import Seed
from pipeline.seeding import derive
from pipeline.training import Augmentation, Recipe
from pipeline.validation import Validation


class Pretrain(Recipe):
    initialisation: Initialisation
    dropout: float = Field(ge=0, lt=1)
    augmentation: Augmentation


def main(seed: Seed, compute: Compute, pretrain: Pretrain) -> None:
    device = compute.start()
    torch.manual_seed(derive(seed, "pretrain"))
    train = Labelled.load("data/split/old_train.safetensors")
    validation = Labelled.load("data/split/validation.safetensors")
    old_validation = Validation.of(validation.where(~validation.is_new), "overall", device)

    model = models.cnn(train.inputs.shape[1:], len(train.classes), pretrain.dropout)
    models.initialise(model, pretrain.initialisation)
    curve = training.fit(
        model.to(device),
        *training.join(device, train),
        pretrain,
        old_validation,
        prepare=pretrain.augmentation,
        progress="pretrain",
    )
    methods.save("base", model, curve=curve, trainable=models.trainable_parameters(model))
