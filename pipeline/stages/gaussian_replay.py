"""Gaussian replay: trains the head on the new classes and on samples in place of the old images."""

from pathlib import Path

import torch

from pipeline import methods, models, training
from pipeline.compute import Compute
from pipeline.datasets import Labelled
from pipeline.gaussians import Gaussians
from pipeline.params import Count, Seed
from pipeline.seeding import derive
from pipeline.training import Recipe
from pipeline.validation import Objective, Validation

GAUSSIANS = Path("data/statistics/gaussians.safetensors")


class GaussianReplay(Recipe):
    """`samples` are drawn of every old class."""

    samples: Count
    objective: Objective


def main(seed: Seed, compute: Compute, gaussian_replay: GaussianReplay) -> None:
    device = compute.start(threads=1)
    torch.manual_seed(derive(seed, "gaussian_replay"))
    base = models.load("data/methods/base/model.safetensors")
    new = Labelled.load("data/features/new_train.safetensors")
    validation = Labelled.load("data/features/validation.safetensors")

    head = base.head.to(device)
    curve = training.fit(
        head,
        *Gaussians.load(GAUSSIANS).replay(gaussian_replay.samples, *training.join(device, new)),
        gaussian_replay,
        Validation.of(validation, gaussian_replay.objective, device),
        progress="gaussian_replay",
    )
    methods.save(
        "gaussian_replay",
        models.with_head(base, head),
        trainable=models.trainable_parameters(head),
        kept_bytes=GAUSSIANS.stat().st_size,
        curve=curve,
    )
