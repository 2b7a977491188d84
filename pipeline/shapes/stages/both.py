"""Adapts the shape classifier to source and target classes together, and to say "unknown".

For the latter it is shown outliers, shapes of other kinds, as being any class alike (outlier
exposure, arXiv 1812.04606); beside it stands the same model without them.
"""

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pipeline.core.labelled import Labelled, merge
from pipeline.core.params import Seed
from pipeline.core.seeding import derive
from pipeline.learning.augmentation import VIEWS
from pipeline.learning.compute import Compute
from pipeline.learning.training import Recipe
from pipeline.learning.validation import Validation
from pipeline.shapes import contenders
from pipeline.techniques import novelty
from pipeline.techniques.novelty import Novelty

FOLDER = Path("data/shapes/both")


def main(seed: Seed, compute: Compute, both: Recipe) -> None:
    device = compute.start()
    base = contenders.load_base().to(device)
    held_out = known("validation")
    validation = Validation.of(held_out, "overall", device)
    unknown = torch.from_numpy(outliers("validation").inputs).to(device)
    features, targets, known_rows = shown(base.trunk, device)
    for name, rows in {"plain": known_rows, "exposed": len(features)}.items():
        torch.manual_seed(derive(seed, "transfer_both", name))
        model = contenders.FROZEN.untrained(base, len(held_out.classes)).to(device)
        curve = contenders.train_head(
            model, features[:rows], targets[:rows], both, validation, name
        )
        rule = Novelty.chosen(
            novelty.views(model, validation.inputs), novelty.views(model, unknown)
        )
        contenders.save(FOLDER / name, model, base, curve)
        rule.save(FOLDER / name / "novelty.safetensors")


def shown(trunk: nn.Module, device: torch.device) -> tuple[Tensor, Tensor, int]:
    """All that the models are shown, the outliers last.

    Returns:
        Features `(n, width)` of the training images in all views, float16; the probabilities of
        their classes `(n, classes)`, float32; and how many of these are not of outliers.
    """
    of_known = known("train")
    labels, names = of_known.labels, of_known.classes
    parts = (of_known, outliers("train"))
    images = [torch.from_numpy(part.inputs).to(device) for part in parts]
    features = contenders.features(trunk, images)
    targets = torch.full((len(features), len(names)), 1 / len(names))
    known_rows = VIEWS * len(labels)
    one_hot = F.one_hot(torch.from_numpy(labels), len(names)).float()
    targets[:known_rows] = one_hot.repeat(VIEWS, 1)
    return features, targets.to(device), known_rows


def known(part: str) -> Labelled:
    """Images of source and target classes."""
    return merge(
        Labelled.load(f"data/shapes/images/source_{part}"),
        Labelled.load(f"data/shapes/images/target_{part}"),
    )


def outliers(part: str) -> Labelled:
    """Images of shapes that are none of the classes."""
    return Labelled.load(f"data/shapes/images/outlier_{part}")
