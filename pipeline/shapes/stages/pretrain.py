"""Trains the shape classifier on the source classes."""

import torch

from pipeline.core.labelled import Labelled
from pipeline.core.params import Fraction, Seed
from pipeline.core.seeding import derive
from pipeline.learning import loading, networks, training
from pipeline.learning.augmentation import random_turn
from pipeline.learning.compute import Compute
from pipeline.learning.training import Recipe
from pipeline.learning.validation import Validation
from pipeline.shapes import contenders


class Pretrain(Recipe):
    dropout: Fraction


def main(seed: Seed, compute: Compute, pretrain: Pretrain) -> None:
    device = compute.start()
    torch.manual_seed(derive(seed, "shapes_pretrain"))
    train = Labelled.load("data/shapes/images/source_train")
    validation = Labelled.load("data/shapes/images/source_validation")

    model = networks.shape_cnn(train.inputs.shape[1:], len(train.classes), pretrain.dropout)
    curve = training.fit(
        model.to(device),
        *loading.tensors(device, train),
        pretrain,
        Validation.of(validation, "overall", device),
        prepare=random_turn,
        progress="shapes_pretrain",
    )
    contenders.save_base(model, curve)
