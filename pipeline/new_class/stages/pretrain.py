"""Trains the base model on the old classes alone."""

from typing import Literal

import torch

from pipeline.core.errors import InputError
from pipeline.core.labelled import Labelled
from pipeline.core.params import Fraction, Section, Seed
from pipeline.core.seeding import derive
from pipeline.learning import augmentation, fine_tuning, freezing, models, training
from pipeline.learning.augmentation import Augmentation
from pipeline.learning.compute import Compute
from pipeline.learning.fine_tuning import FineTuning
from pipeline.learning.models import Initialisation
from pipeline.learning.networks import Classifier
from pipeline.learning.validation import Validation
from pipeline.new_class import results


class Network(Section):
    """`trunk` turns images into features; `auto` takes what suits them.

    `identity` is for features that come as they are. `train` is what the pretraining changes: all,
    the head, or the head and the trunk from a block on.
    """

    trunk: Literal["auto", "cnn", "mlp", "residual", "identity"]
    train: str


class Pretrain(FineTuning):
    """`augmentation: auto` takes what suits the images."""

    initialisation: Initialisation
    dropout: Fraction
    augmentation: Augmentation | Literal["auto"]


def main(seed: Seed, compute: Compute, network: Network, pretrain: Pretrain) -> None:
    device = compute.start()
    torch.manual_seed(derive(seed, "pretrain"))
    train = Labelled.load("data/split/old_train")
    validation = Labelled.load("data/split/validation")
    old_validation = Validation.of(validation.where(~validation.is_new), "overall", device)

    trunk = train.advice["trunk"] if network.trunk == "auto" else network.trunk
    model = untrained(trunk, train, pretrain.dropout)
    models.initialise(model, pretrain.initialisation)
    freezing.train_from(model, network.train)
    curve = fine_tuning.fit(
        model.to(device),
        *training.tensors(device, train),
        pretrain,
        old_validation,
        prepare=augmentation.chosen(pretrain.augmentation, train),
        progress="pretrain",
    )
    results.save_base(model, curve)


def untrained(trunk: str, data: Labelled, dropout: float) -> Classifier:
    """A network for some data.

    Raises:
        InputError: if the trunk can't take them.
    """
    shape = data.inputs.shape[1:]
    form = "×".join(map(str, shape))
    if (trunk == "identity") != (len(shape) == 1):
        raise InputError(f"params.yaml: network.trunk is {trunk}, which takes no inputs of {form}")
    try:
        return models.NETWORKS[trunk](shape, len(data.classes), dropout)
    except RuntimeError:
        raise InputError(
            f"params.yaml: network.trunk is {trunk}, for which images of {form} are too small"
        ) from None
