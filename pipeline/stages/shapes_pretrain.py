"""Trains the shape classifier on the source classes."""

import torch
from pydantic import Field

from pipeline import artifacts, models, training
from pipeline.compute import Compute
from pipeline.datasets import Labelled
from pipeline.params import Seed
from pipeline.seeding import derive
from pipeline.training import Recipe
from pipeline.validation import Validation


class ShapesPretrain(Recipe):
    dropout: float = Field(ge=0, lt=1)


def main(seed: Seed, compute: Compute, shapes_pretrain: ShapesPretrain) -> None:
    device = compute.start()
    torch.manual_seed(derive(seed, "shapes_pretrain"))
    train = Labelled.load("data/shapes/source_train.safetensors")
    validation = Labelled.load("data/shapes/source_validation.safetensors")

    model = models.shape_cnn(train.inputs.shape[1:], len(train.classes), shapes_pretrain.dropout)
    curve = training.fit(
        model.to(device),
        *training.join(device, train),
        shapes_pretrain,
        Validation.of(validation, "overall", device),
        prepare=training.random_turn,
        progress="shapes_pretrain",
    )
    models.save("data/shapes_base/model.safetensors", model)
    artifacts.save_table("data/shapes_base/curve.csv", curve)
