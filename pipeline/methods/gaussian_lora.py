"""LoRA with Gaussian replay: trains adapters on the new classes and samples of the old ones."""

import torch

from pipeline.core.labelled import Labelled
from pipeline.core.params import Count, Fraction, Positive, Seed
from pipeline.core.seeding import derive
from pipeline.learning import loading, models, training
from pipeline.learning.compute import Compute
from pipeline.learning.training import Recipe
from pipeline.learning.validation import Objective, Validation
from pipeline.new_class import results
from pipeline.new_class.results.steps import one_after_another
from pipeline.techniques import adapters, targets
from pipeline.techniques.statistics.gaussians import Gaussians
from pipeline.techniques.targets import Targets


class GaussianLora(Recipe):
    """`targets` are of the head; else as for `lora`.

    `samples` are drawn of every old class; a new one is repeated until it has as many.
    """

    samples: Count
    objective: Objective
    rank: Count
    alpha: Positive
    targets: Targets
    dropout: Fraction


@one_after_another
def main(seed: Seed, compute: Compute, gaussian_lora: GaussianLora) -> None:
    device = compute.start(threads=1)
    torch.manual_seed(derive(seed, "gaussian_lora"))
    base = results.load_base()
    new = Labelled.load("data/features/new_train")
    validation = results.validation_without_old_images()
    kept = Gaussians.load(results.GAUSSIANS)
    if not len(kept.labels):
        results.left_out("gaussian_lora", "statistics of the old classes")
        return

    model = models.with_head(base, base.head).to(device)
    chosen = targets.choose(base, gaussian_lora.targets, gaussian_lora.rank, head_only=True)
    adapters.wrap(
        model,
        chosen.targets,
        r=gaussian_lora.rank,
        alpha=gaussian_lora.alpha,
        dropout=gaussian_lora.dropout,
    )
    curve = training.fit(
        model.head,
        *kept.replay(gaussian_lora.samples, *loading.tensors(device, new)),
        gaussian_lora,
        Validation.of(validation, gaussian_lora.objective, device),
        progress="gaussian_lora",
    )
    adapters.save(results.METHODS / "gaussian_lora", model)
    results.save_about(
        "gaussian_lora", model, kept_bytes=results.GAUSSIANS.stat().st_size, curve=curve
    )
