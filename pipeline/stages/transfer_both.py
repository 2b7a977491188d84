"""Adapts the shape classifier to source and target classes together, and to say "unknown"."""

import torch

from pipeline import artifacts, contenders, models, training
from pipeline.compute import Compute
from pipeline.datasets import Labelled, merge
from pipeline.novelty import Novelty
from pipeline.params import Count, Seed
from pipeline.seeding import derive
from pipeline.training import Recipe
from pipeline.validation import Validation


class TransferBoth(Recipe):
    """`bank` training images of every class are kept, to know images unlike all of them."""

    bank: Count


def main(seed: Seed, compute: Compute, transfer_both: TransferBoth) -> None:
    device = compute.start()
    torch.manual_seed(derive(seed, "transfer_both"))
    base = models.load("data/shapes_base/model.safetensors")
    train, validation = (
        merge(
            Labelled.load(f"data/shapes/source_{part}.safetensors"),
            Labelled.load(f"data/shapes/target_{part}.safetensors"),
        )
        for part in ("train", "validation")
    )

    model = contenders.untrained("transfer", base, len(train.classes)).to(device)
    watched = Validation.of(validation, "overall", device)
    images, labels = training.join(device, train)
    curve = contenders.train(model, images, labels, transfer_both, watched, "transfer_both")
    kept, _ = training.join(device, train.few(transfer_both.bank, derive(seed, "bank")))
    novelty = Novelty.fitted(model, kept, watched.inputs)

    models.save("data/transfer_both/model.safetensors", model)
    novelty.save("data/transfer_both/novelty.safetensors")
    artifacts.save_table("data/transfer_both/curve.csv", curve)
