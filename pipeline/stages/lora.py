"""LoRA: trains low-rank adapters of some dense layers on the new classes alone."""

from functools import partial

from pydantic import Field

from pipeline import adapters, heads, models, training
from pipeline.compute import Compute
from pipeline.datasets import Labelled
from pipeline.heads import HeadTrial, Studied
from pipeline.params import Count, Positive, Seed
from pipeline.validation import Validation


class Lora(Studied):
    """`alpha` / `rank` scales the update; `targets` are names of dense layers of the head."""

    rank: Count
    alpha: Positive
    targets: list[str] = Field(min_length=1)
    dropout: float = Field(ge=0, lt=1)


def main(seed: Seed, compute: Compute, lora: Lora) -> None:
    device = compute.start(threads=1)
    base = models.load("data/methods/base/model.safetensors").to(device)
    new = Labelled.load("data/features/new_train.safetensors")
    validation = Labelled.load("data/features/validation.safetensors")

    trial = HeadTrial(
        "lora",
        seed,
        lora,
        base.head,
        *training.join(device, new),
        Validation.of(validation, lora.objective, device),
        partial(
            adapters.wrap,
            targets=lora.targets,
            r=lora.rank,
            alpha=lora.alpha,
            dropout=lora.dropout,
        ),
    )
    learned = heads.learn_new(trial, base, compute)
    adapters.save("data/methods/lora/adapter", learned.wrapped)
    learned.save(trial)
