"""Trains the base model on the old classes alone, or takes a trained one as it is."""

from typing import Literal

import torch
from pydantic import Field

from pipeline.core.errors import InputError
from pipeline.core.labelled import Labelled
from pipeline.core.params import Fraction, Seed
from pipeline.core.seeding import derive
from pipeline.learning import augmentation, fine_tuning, freezing, loading
from pipeline.learning.augmentation import Augmentation
from pipeline.learning.compute import Compute
from pipeline.learning.fine_tuning import FineTuning
from pipeline.learning.models import Initialisation
from pipeline.learning.validation import Validation
from pipeline.new_class import results
from pipeline.new_class.starting import Network, Start


class Pretrain(FineTuning):
    """`augmentation: auto` takes what suits the images; no `epochs` take a classifier as it is."""

    initialisation: Initialisation
    dropout: Fraction
    augmentation: Augmentation | Literal["auto"]
    epochs: int = Field(ge=0)


def main(seed: Seed, compute: Compute, network: Network, pretrain: Pretrain) -> None:
    device = compute.start()
    torch.manual_seed(derive(seed, "pretrain"))
    train = Labelled.load("data/split/old_train")
    validation = Validation.of(Labelled.load("data/split/old_validation"), "overall", device)

    start = Start.load()
    model = start.model(network, train, pretrain.dropout, pretrain.initialisation)
    if pretrain.epochs == 0:
        if not start.knows(train):
            raise InputError(
                "params.yaml: pretrain.epochs is 0, but network.weights bring no classifier of the "
                "old classes (label_names in config.json, or classes.txt in network.path)"
            )
        results.save_base(model.eval(), [])
        return
    freezing.train_from(model, network.train)
    curve = fine_tuning.fit(
        model.to(device),
        *loading.tensors(device, train),
        pretrain,
        validation,
        prepare=augmentation.chosen(pretrain.augmentation, train),
        progress="pretrain",
    )
    results.save_base(model, curve)
