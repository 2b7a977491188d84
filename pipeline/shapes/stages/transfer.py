"""Adapts the shape classifier to the target classes, and trains controls beside it."""

from pathlib import Path

from pipeline.core.labelled import Labelled
from pipeline.core.params import Section, Seed
from pipeline.core.seeding import derive
from pipeline.learning.compute import Compute
from pipeline.learning.training import Recipe
from pipeline.shapes import contenders, trainings
from pipeline.shapes.trainings import Training


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
    base = contenders.load_base()
    train = Labelled.load("data/shapes/images/target_train")
    held_out = Labelled.load("data/shapes/images/target_validation")
    given = [
        Training(
            contender,
            derive(seed, "transfer", contender.seed),
            images=train,
            held_out=held_out,
            recipe=getattr(transfer, contender.name),
        )
        for contender in contenders.ALL
    ]
    trained = trainings.run(base, given, compute, "transfer")
    for contender, (model, curve) in zip(contenders.ALL, trained, strict=True):
        contenders.save(Path("data/shapes/transfer", contender.name), model, base, curve)
