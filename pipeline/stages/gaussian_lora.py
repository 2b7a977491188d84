"""LoRA with Gaussian replay: trains adapters on the new classes and samples of the old ones."""

from copy import deepcopy
from pathlib import Path

import torch
from pydantic import Field

from pipeline import adapters, methods, models, training
from pipeline.compute import Compute
from pipeline.datasets import Labelled
from pipeline.gaussians import Gaussians
from pipeline.params import Count, Positive, Seed
from pipeline.seeding import derive
from pipeline.training import Recipe
from pipeline.validation import Objective, Validation

GAUSSIANS = Path("data/statistics/gaussians.safetensors")


class GaussianLora(Recipe):
    """`samples` are drawn of every old class; the rest is as for `lora`."""

    samples: Count
    objective: Objective
    rank: Count
    alpha: Positive
    targets: list[str] = Field(min_length=1)
    dropout: float = Field(ge=0, lt=1)


def main(seed: Seed, compute: Compute, gaussian_lora: GaussianLora) -> None:
    device = compute.start(threads=1)
    torch.manual_seed(derive(seed, "gaussian_lora"))
    base = models.load("data/methods/base/model.safetensors")
    new = Labelled.load("data/features/new_train.safetensors")
    validation = Labelled.load("data/features/validation.safetensors")

    model = deepcopy(base).to(device)
    adapters.wrap(
        model,
        gaussian_lora.targets,
        r=gaussian_lora.rank,
        alpha=gaussian_lora.alpha,
        dropout=gaussian_lora.dropout,
    )
    trainable = models.trainable_parameters(model)
    curve = training.fit(
        model.head,
        *Gaussians.load(GAUSSIANS).replay(gaussian_lora.samples, *training.join(device, new)),
        gaussian_lora,
        Validation.of(validation, gaussian_lora.objective, device),
        progress="gaussian_lora",
    )
    adapters.save("data/methods/gaussian_lora/adapter", model)
    adapters.merge(model)
    methods.save(
        "gaussian_lora",
        model,
        trainable=trainable,
        kept_bytes=GAUSSIANS.stat().st_size,
        curve=curve,
    )
