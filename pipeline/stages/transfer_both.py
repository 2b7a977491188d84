"""Adapts the shape classifier to source and target classes together, and to say "unknown".

For the latter it is shown outliers, shapes of other kinds, as being any class alike (outlier
exposure, arXiv 1812.04606); beside it stands the same model without them.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

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
    base = models.load("data/shapes_base/model.safetensors").to(device)
    validation = known("validation")
    watched = Validation.of(validation, "overall", device)
    strange = torch.from_numpy(outliers("validation").inputs).to(device)
    features, targets, known_rows = shown(base.trunk, device)
    for name, rows in {"plain": known_rows, "exposed": len(features)}.items():
        torch.manual_seed(derive(seed, "transfer_both", name))
        model = contenders.untrained("transfer", base, len(validation.classes)).to(device)
        curve = contenders.train_head(
            model, features[:rows], targets[:rows], transfer_both, watched, name
        )
        rule = Novelty.chosen(*(novelty.views(model, part) for part in (watched.inputs, strange)))
        models.save(f"data/transfer_both/{name}.safetensors", model)
        rule.save(f"data/transfer_both/{name}_novelty.safetensors")
        artifacts.save_table(f"data/transfer_both/{name}.csv", curve)


def shown(trunk: nn.Module, device: torch.device) -> tuple[Tensor, Tensor, int]:
    """All that the models are shown, the outliers last.

    Returns:
        Features `(n, width)` of the training images in all views, float16; the probabilities of
        their classes `(n, classes)`, float32; and how many of these are not of outliers.
    """
    _, labels, names, _ = known("train")
    images = (torch.from_numpy(part("train").inputs).to(device) for part in (known, outliers))
    features = contenders.features(trunk, images, len(labels) + len(outliers("train").labels))
    targets = torch.full((len(features), len(names)), 1 / len(names))
    known_rows = training.VIEWS * len(labels)
    one_hot = F.one_hot(torch.from_numpy(labels), len(names)).float()
    targets[:known_rows] = one_hot.repeat(training.VIEWS, 1)
    return features, targets.to(device), known_rows


def known(part: str) -> Labelled:
    """Images of source and target classes."""
    return merge(
        Labelled.load(f"data/shapes/source_{part}.safetensors"),
        Labelled.load(f"data/shapes/target_{part}.safetensors"),
    )


def outliers(part: str) -> Labelled:
    """Images of shapes that are none of the classes."""
    return Labelled.load(f"data/shapes/outlier_{part}.safetensors")
