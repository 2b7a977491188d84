"""Obtains the digits of the rank sweep, and holds a part out for validation."""

import numpy as np
from pydantic import Field
from sklearn.model_selection import train_test_split

from pipeline.core.params import Section, Seed
from pipeline.sources import catalogue
from pipeline.sources.data import Digits


class Images(Section):
    """`validation` is a share of the training images, `seed` the partition's own."""

    source: Digits
    validation: float = Field(gt=0, lt=1)
    seed: Seed


def main(images: Images) -> None:
    train, test = catalogue.load(images.source)
    rows, held_out = train_test_split(
        np.arange(len(train.labels)),
        test_size=images.validation,
        stratify=train.labels,
        random_state=images.seed,
    )
    train.save("data/ranks/images/train", np.sort(rows))
    train.save("data/ranks/images/validation", np.sort(held_out))
    test.save("data/ranks/images/test")
