"""A new row: one logistic unit for each new class, from few images; everything old stays as is."""

from pathlib import Path

import torch

from pipeline.core.labelled import Labelled
from pipeline.core.params import Seed
from pipeline.core.seeding import derive
from pipeline.learning import augmentation, training
from pipeline.learning.compute import Compute
from pipeline.new_class import results
from pipeline.techniques import new_row as rows
from pipeline.techniques.gaussians import Gaussians
from pipeline.techniques.new_row import NewRow

GAUSSIANS = Path("data/statistics/gaussians.safetensors")


def main(seed: Seed, compute: Compute, new_row: NewRow) -> None:
    device = compute.start(threads=1)
    torch.manual_seed(derive(seed, "new_row"))
    base = results.load_base().to(device)
    new = Labelled.load("data/split/new_train")
    augment = augmentation.chosen(new_row.augmentation, new)

    features = {}
    for label in new.new:
        images, _ = training.tensors(device, new.where(new.labels == label))
        features[label] = rows.variants(base.trunk, images, augment, new_row.variants)
    learned = rows.learn_all(base.head, Gaussians.load(GAUSSIANS), features, new_row, seed)
    for label, row in learned.items():
        row.save(results.METHODS / "new_row" / rows.file(label), new.classes[label], base)
    model = rows.with_rows(base, learned)
    results.save_about("new_row", model, kept_bytes=GAUSSIANS.stat().st_size)
