"""Trains the wide network on the first half of the classes."""

import torch
from pydantic import Field

from pipeline import artifacts, models, training, wide
from pipeline.compute import Compute
from pipeline.datasets import Labelled
from pipeline.params import Seed
from pipeline.seeding import derive
from pipeline.training import Augmentation, Recipe
from pipeline.validation import Validation


class WidePretrain(Recipe):
    """`classes` come first; the rank sweep goes on with the others."""

    classes: list[int]
    dropout: float = Field(ge=0, lt=1)
    augmentation: Augmentation


def main(seed: Seed, compute: Compute, wide_pretrain: WidePretrain) -> None:
    device = compute.start()
    torch.manual_seed(derive(seed, "wide_pretrain"))
    train, _ = wide.halves(wide.training_data(), wide_pretrain.classes)
    held_out = Labelled.load("data/split/validation.safetensors")
    validation, _ = wide.halves(held_out, wide_pretrain.classes)

    model = models.mlp(train.inputs.shape[1:], len(train.classes), wide_pretrain.dropout)
    models.initialise(model, "he")
    curve = training.fit(
        model.to(device),
        *training.join(device, train),
        wide_pretrain,
        Validation.of(validation._replace(new=[]), "overall", device),
        prepare=wide_pretrain.augmentation,
        progress="wide_pretrain",
    )
    models.save("data/wide_base/model.safetensors", model)
    artifacts.save_table("data/wide_base/curve.csv", curve)
    artifacts.save_json("data/wide_base/facts.json", {"classes": wide_pretrain.classes})
