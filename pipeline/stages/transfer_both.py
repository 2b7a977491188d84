"""Adapts the shape classifier to source and target classes together, and to say "unknown".

For the latter it is shown outliers, shapes of other kinds, as being any class alike (outlier
exposure, arXiv 1812.04606); beside it stands the same model without them.
"""

import torch
import torch.nn.functional as F

from pipeline import artifacts, contenders, models, novelty, training
from pipeline.compute import Compute
from pipeline.datasets import Labelled, merge
from pipeline.novelty import Novelty
from pipeline.params import Seed
from pipeline.seeding import derive
from pipeline.training import Recipe
from pipeline.validation import Validation


def main(seed: Seed, compute: Compute, transfer_both: Recipe) -> None:
    device = compute.start()
    base = models.load("data/shapes_base/model.safetensors")
    train, validation = (
        merge(
            Labelled.load(f"data/shapes/source_{part}.safetensors"),
            Labelled.load(f"data/shapes/target_{part}.safetensors"),
        )
        for part in ("train", "validation")
    )
    outliers, strange = (
        training.join(device, Labelled.load(f"data/shapes/outlier_{part}.safetensors"))[0]
        for part in ("train", "validation")
    )
    images, labels = training.join(device, train)
    targets = F.one_hot(labels, len(train.classes)).float()
    uniform = torch.full_like(targets[:1], 1 / len(train.classes)).expand(len(outliers), -1)
    watched = Validation.of(validation, "overall", device)
    shown = {
        "plain": (images, targets),
        "exposed": (torch.cat([images, outliers]), torch.cat([targets, uniform])),
    }
    for name, (inputs, aims) in shown.items():
        torch.manual_seed(derive(seed, "transfer_both", name))
        model = contenders.untrained("transfer", base, len(train.classes)).to(device)
        curve = contenders.train(model, inputs, aims, transfer_both, watched, name)
        rule = Novelty.chosen(*(novelty.views(model, part) for part in (watched.inputs, strange)))
        models.save(f"data/transfer_both/{name}.safetensors", model)
        rule.save(f"data/transfer_both/{name}_novelty.safetensors")
        artifacts.save_table(f"data/transfer_both/{name}.csv", curve)
