"""Gaussian replay: trains the head on the new classes and on samples in place of the old images."""

import torch

from pipeline.core.labelled import Labelled
from pipeline.core.params import Count, Seed
from pipeline.core.seeding import derive
from pipeline.learning import loading, models, training
from pipeline.learning.compute import Compute
from pipeline.learning.training import Recipe
from pipeline.learning.validation import Objective, Validation
from pipeline.new_class import results
from pipeline.new_class.results.steps import one_after_another
from pipeline.techniques.statistics.gaussians import Gaussians


class GaussianReplay(Recipe):
    """`samples` are drawn of every old class; a new one is repeated until it has as many."""

    samples: Count
    objective: Objective


@one_after_another
def main(seed: Seed, compute: Compute, gaussian_replay: GaussianReplay) -> None:
    device = compute.start(threads=1)
    torch.manual_seed(derive(seed, "gaussian_replay"))
    base = results.load_base()
    new = Labelled.load("data/features/new_train")
    validation = results.validation_without_old_images()
    kept = Gaussians.load(results.GAUSSIANS)
    if not len(kept.labels):
        results.left_out("gaussian_replay", "statistics of the old classes")
        return

    model = models.with_head(base, base.head).to(device)
    curve = training.fit(
        model.head,
        *kept.replay(gaussian_replay.samples, *loading.tensors(device, new)),
        gaussian_replay,
        Validation.of(validation, gaussian_replay.objective, device),
        progress="gaussian_replay",
    )
    results.save(
        "gaussian_replay", model, base, kept_bytes=results.GAUSSIANS.stat().st_size, curve=curve
    )
