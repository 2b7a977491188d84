"""Experience replay: trains the head on old and new classes together."""

from math import prod

import torch

from pipeline import methods, models, training
from pipeline.compute import Compute
from pipeline.datasets import Labelled
from pipeline.params import Count, Seed
from pipeline.seeding import derive
from pipeline.training import Recipe
from pipeline.validation import Validation


class Replay(Recipe):
    """`budget` is the number of images kept of every old class; null keeps all."""

    budget: Count | None


def main(seed: Seed, compute: Compute, replay: Replay) -> None:
    device = compute.start(threads=1)
    torch.manual_seed(derive(seed, "replay"))
    base = models.load("data/methods/base/model.safetensors")
    old = Labelled.load("data/features/old_train.safetensors")
    new = Labelled.load("data/features/new_train.safetensors")
    validation = Labelled.load("data/features/validation.safetensors")

    kept = old.few(replay.budget, derive(seed, "kept"))
    inputs, labels = training.join(device, kept, new)
    head = base.head.to(device)
    curve = training.fit(
        head,
        inputs,
        labels,
        replay,
        Validation.of(validation, "overall", device),
        progress="replay",
    )
    methods.save(
        "replay",
        models.with_head(base, head),
        trainable=models.trainable_parameters(head),
        kept_bytes=len(kept.labels) * prod(base.description["shape"]),
        curve=curve,
    )
