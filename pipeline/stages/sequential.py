"""Sequential fine-tuning: trains the whole head on the new classes alone."""

from pipeline import heads, models, training
from pipeline.compute import Compute
from pipeline.datasets import Labelled
from pipeline.heads import HeadTrial, Studied
from pipeline.params import Seed
from pipeline.validation import Validation


def main(seed: Seed, compute: Compute, sequential: Studied) -> None:
    device = compute.start(threads=1)
    base = models.load("data/methods/base/model.safetensors").to(device)
    new = Labelled.load("data/features/new_train.safetensors")
    validation = Labelled.load("data/features/validation.safetensors")

    trial = HeadTrial(
        "sequential",
        seed,
        sequential,
        base.head,
        *training.join(device, new),
        Validation.of(validation, sequential.objective, device),
    )
    learned = heads.learn_new(trial, base, compute)
    learned.save(trial)
