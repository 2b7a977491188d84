"""LoRA: trains low-rank adapters of some layers on the new classes alone."""

from functools import partial

from pipeline.core.labelled import Labelled
from pipeline.core.params import Count, Fraction, Positive, Seed
from pipeline.core.seeding import derive
from pipeline.learning import loading, models
from pipeline.learning.compute import Compute
from pipeline.learning.validation import Validation
from pipeline.new_class import results
from pipeline.new_class.results.steps import one_after_another
from pipeline.techniques import adapters, anchored, targets
from pipeline.techniques.anchored import Studied, Trial
from pipeline.techniques.targets import Targets


class Lora(Studied):
    """`alpha` / `rank` scales the update; `targets` are names of layers of head or trunk."""

    rank: Count
    alpha: Positive
    targets: Targets
    dropout: Fraction


@one_after_another
def main(seed: Seed, compute: Compute, lora: Lora) -> None:
    device = compute.start(threads=1)
    base = results.load_base().to(device)
    chosen = targets.choose(base, lora.targets, lora.rank)
    if chosen.in_trunk:  # whose features change, so that nothing stored says what is lost
        new, validation = Labelled.load("data/split/new_train"), results.validation("split")
    else:
        new = Labelled.load("data/features/new_train")
        validation = results.validation_without_old_images()

    adapt = partial(
        adapters.wrap,
        targets=chosen.targets,
        r=lora.rank,
        alpha=lora.alpha,
        dropout=lora.dropout,
        whole=chosen.whole,
    )
    trial = Trial(
        partial(derive, seed, "lora"),
        lora,
        base if chosen.in_trunk else base.on_features(),
        *loading.tensors(device, new),
        Validation.of(validation, lora.objective, device),
        adapt,
    )
    learned = anchored.learn_new(trial, compute, "lora")
    model = learned.model if chosen.in_trunk else models.with_head(base, learned.model.head)
    adapters.save(results.METHODS / "lora", model)
    results.save_about(
        "lora",
        model,
        curve=learned.curve,
        study=learned.rows,
        strength=learned.strength,
        strengths=lora.strengths,
        kept_bytes=0 if chosen.in_trunk else results.kept_to_choose(),  # for the choices
        unread=["data/split/old_validation" if not chosen.in_trunk else str(results.SAMPLES)],
    )
