"""LoRA: trains low-rank adapters of some dense layers on the new classes alone."""

from functools import partial

from pipeline.core.labelled import Labelled
from pipeline.core.params import Count, Fraction, Positive, Seed
from pipeline.core.seeding import derive
from pipeline.learning import models, training
from pipeline.learning.compute import Compute
from pipeline.learning.validation import Validation
from pipeline.new_class import results
from pipeline.techniques import adapters, anchored
from pipeline.techniques.adapters import Targets
from pipeline.techniques.anchored import HeadTrial, Studied


class Lora(Studied):
    """`alpha` / `rank` scales the update; `targets` are names of dense layers of the head."""

    rank: Count
    alpha: Positive
    targets: Targets
    dropout: Fraction


def main(seed: Seed, compute: Compute, lora: Lora) -> None:
    device = compute.start(threads=1)
    base = results.load_base().to(device)
    new = Labelled.load("data/features/new_train")
    validation = Labelled.load("data/features/validation")

    adapt = partial(
        adapters.wrap, targets=lora.targets, r=lora.rank, alpha=lora.alpha, dropout=lora.dropout
    )
    trial = HeadTrial(
        partial(derive, seed, "lora"),
        lora,
        base.head,
        *training.tensors(device, new),
        Validation.of(validation, lora.objective, device),
        adapt,
    )
    learned = anchored.learn_new(trial, compute, "lora")
    model = models.with_head(base, learned.head)
    adapters.save("data/methods/lora", model)
    results.save_about(
        "lora",
        model,
        curve=learned.curve,
        study=learned.rows,
        strength=learned.strength,
        strengths=lora.strengths,
    )
