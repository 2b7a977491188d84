"""LoReFT with Gaussian replay: edits a hidden representation of the head, all weights frozen.

Trained on the new classes and on samples of the old ones. The edit is linear, and so is the layer
behind it: it is folded into that layer, and saved as its changed weights.
"""

from copy import deepcopy

import torch

from pipeline.core.labelled import Labelled
from pipeline.core.params import Count, Seed
from pipeline.core.seeding import derive
from pipeline.learning import changes, loading, loreft, models, training
from pipeline.learning.compute import Compute
from pipeline.learning.training import Recipe
from pipeline.learning.validation import Objective, Validation
from pipeline.new_class import results
from pipeline.new_class.results.steps import one_after_another
from pipeline.techniques.statistics.gaussians import Gaussians


class Reft(Recipe):
    """The inputs of `layer` are edited, with `rank`.

    `samples` are drawn of every old class; a new one is repeated until it has as many.
    """

    samples: Count
    objective: Objective
    layer: str
    rank: Count


@one_after_another
def main(seed: Seed, compute: Compute, reft: Reft) -> None:
    device = compute.start(threads=1)
    torch.manual_seed(derive(seed, "reft"))
    base = results.load_base()
    new = Labelled.load("data/features/new_train")
    validation = results.validation_without_old_images()
    kept = Gaussians.load(results.GAUSSIANS)
    if not len(kept.labels):
        results.left_out("reft", "statistics of the old classes")
        return

    model = models.with_head(base, base.head).to(device)
    loreft.edit(model.head, reft.layer, reft.rank)
    curve = training.fit(
        model.head,
        *kept.replay(reft.samples, *loading.tensors(device, new)),
        reft,
        Validation.of(validation, reft.objective, device),
        progress="reft",
    )
    folded = deepcopy(model)
    loreft.fold(folded.head)
    changes.save(results.METHODS / "reft", folded, base)
    results.save_about("reft", model, kept_bytes=results.GAUSSIANS.stat().st_size, curve=curve)
