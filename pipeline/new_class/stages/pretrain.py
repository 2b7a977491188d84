"""Trains the base model on the old classes alone."""

import torch

from pipeline.core.labelled import Labelled
from pipeline.core.params import Fraction, Seed
from pipeline.core.seeding import derive
from pipeline.learning import models, training
from pipeline.learning.augmentation import Augmentation
from pipeline.learning.compute import Compute
from pipeline.learning.models import Initialisation
from pipeline.learning.training import Recipe
from pipeline.learning.validation import Validation
from pipeline.new_class import results


class Pretrain(Recipe):
    initialisation: Initialisation
    dropout: Fraction
    augmentation: Augmentation


def main(seed: Seed, compute: Compute, pretrain: Pretrain) -> None:
    device = compute.start()
    torch.manual_seed(derive(seed, "pretrain"))
    train = Labelled.load("data/split/old_train")
    validation = Labelled.load("data/split/validation")
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
    results.save_base(model, curve)
