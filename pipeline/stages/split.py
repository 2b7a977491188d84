"""Parts the images into old classes, new classes, validation and test."""

from typing import Annotated

import numpy as np
from pydantic import Field
from sklearn.model_selection import train_test_split

from pipeline import artifacts, datasets
from pipeline.errors import InputError
from pipeline.params import Section, Seed


class Split(Section):
    """`seed` is the partition's own, so that replicates with other seeds share it."""

    new_classes: list[Annotated[int, Field(ge=0)]] = Field(min_length=1)
    validation: float = Field(gt=0, lt=1)
    seed: Seed


def main(split: Split) -> None:
    files = {name: artifacts.load_bytes(f"data/raw/{name}") for name in datasets.MNIST_SHA256}
    train, test = (part._replace(new=split.new_classes) for part in datasets.parse(files))
    check(split.new_classes, train.classes)
    chosen, held_out = train_test_split(
        np.arange(len(train.labels)),
        test_size=split.validation,
        stratify=train.labels,
        random_state=split.seed,
    )
    parts = {
        "old_train": train.where(np.sort(chosen[~train.is_new[chosen]])),
        "new_train": train.where(np.sort(chosen[train.is_new[chosen]])),
        "validation": train.where(np.sort(held_out)),
        "test": test,
    }
    for name, part in parts.items():
        part.save(f"data/split/{name}.safetensors")


def check(new_classes: list[int], classes: list[str]) -> None:
    """Raises InputError unless the new classes are a proper subset of the classes."""
    problem = None
    if unknown := sorted(set(new_classes) - set(range(len(classes)))):
        problem = f"there is no class {unknown[0]}"
    elif len(set(new_classes)) < len(new_classes):
        problem = "a class is named twice"
    elif len(new_classes) == len(classes):
        problem = "no old class is left"
    if problem:
        raise InputError(
            f"params.yaml: split.new_classes is {new_classes}: {problem}; accepted are some, "
            f"not all, of 0…{len(classes) - 1}"
        )
