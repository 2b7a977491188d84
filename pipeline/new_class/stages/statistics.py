"""Condenses the features of the old classes into what may be kept when the images may not."""

import sys
from pathlib import Path
from typing import Annotated, Literal

import torch
from pydantic import BeforeValidator
from torch import Tensor

from pipeline.core import artifacts
from pipeline.core.errors import InputError
from pipeline.core.labelled import Labelled
from pipeline.core.params import Count, Section, Seed
from pipeline.core.seeding import derive
from pipeline.learning import loading
from pipeline.learning.compute import Compute
from pipeline.techniques.statistics.gaussians import Gaussians
from pipeline.techniques.statistics.ridge import Projection, Sums
from pipeline.techniques.statistics.slda import Moments

GIVEN = Path("data/weights")
SAMPLES = Path("data/statistics/validation")
GAUSSIANS, SUMS, MOMENTS = (f"{kind}.safetensors" for kind in ("gaussians", "sums", "moments"))


def _count_or_images(value: object) -> object:
    if value == "images" or (type(value) is int and value >= 1):
        return value
    raise ValueError("images or a whole number from 1 accepted")


class Statistics(Section):
    """`rank` directions of each class's covariance; `width` random features for `analytic`.

    `validation` features of every class are drawn from what is kept: what methods that have no old
    image choose on. With `images` they choose on those of held-out images, which are kept then.
    """

    rank: Count
    width: Count
    validation: Annotated[int | Literal["images"], BeforeValidator(_count_or_images)]


def main(seed: Seed, compute: Compute, statistics: Statistics) -> None:
    device = compute.start()
    old = Labelled.load("data/features/old_train")
    given = artifacts.load_json(GIVEN / "about.json")["statistics"]
    features, labels = loading.tensors(device, old)
    classes, width = len(old.classes), features.shape[1]

    if len(old.labels):
        if statistics.rank > width:
            print(
                f"statistics.rank {statistics.rank}: {width} kept, all there are", file=sys.stderr
            )
        gaussians = Gaussians.of(features, labels, min(statistics.rank, width))
        projection = Projection(derive(seed, "statistics"), statistics.width)
        sums = Sums.of(projection, features, labels, classes)
        moments = Moments.of(features, labels)
    else:  # the images are gone: what was kept of them, or nothing
        gaussians = kept_gaussians(width) if GAUSSIANS in given else Gaussians.nothing(width)
        sums, projection = kept_sums(classes) if SUMS in given else Sums.nothing(classes)
        moments = kept_moments(width) if MOMENTS in given else Moments.nothing(width)

    gaussians.save(f"data/statistics/{GAUSSIANS}")
    sums.save(f"data/statistics/{SUMS}", projection.seed)
    moments.save(f"data/statistics/{MOMENTS}")
    if statistics.validation == "images":
        keep_images()
    else:
        torch.manual_seed(derive(seed, "validation"))
        gaussians.save_samples(SAMPLES, statistics.validation, old)


def keep_images() -> None:
    """Saves features of held-out images in place of samples, and how many bytes they are.

    Raises:
        InputError: if classes are learned one after another, for which samples are needed.
    """
    images = Labelled.load("data/features/old_validation")
    if images.steps:
        raise InputError(
            "params.yaml: statistics.validation is 'images', and split.new_classes has several "
            "steps; a number of samples is accepted then"
        )
    images.save(SAMPLES)
    artifacts.save_json(SAMPLES / "kept.json", {"bytes": 0, "images": images.inputs.nbytes})


def kept_gaussians(width: int) -> Gaussians:
    """Those that came with the classifier.

    Raises:
        InputError: if they are of other features.
    """
    found = Gaussians.load(GIVEN / GAUSSIANS)
    if found.means.shape[1] != width:
        raise InputError(
            f"network.path: {GAUSSIANS} has {found.means.shape[1]} features, the trunk has {width}"
        )
    return found


def kept_sums(classes: int) -> tuple[Sums, Projection]:
    """Those that came with the classifier, with nothing of each new class.

    Raises:
        InputError: if they are of more classes.
    """
    found, projection = Sums.load(GIVEN / SUMS)
    more = classes - found.moments.shape[1]
    if more < 0:
        raise InputError(f"network.path: {SUMS} is of {classes - more} classes; {classes} accepted")
    moments: Tensor = torch.nn.functional.pad(found.moments, (0, more))
    counts: Tensor = torch.nn.functional.pad(found.counts, (0, more))
    return found._replace(moments=moments, counts=counts), projection


def kept_moments(width: int) -> Moments:
    """Those that came with the classifier.

    Raises:
        InputError: if they are of other features.
    """
    found = Moments.load(GIVEN / MOMENTS)
    if found.means.shape[1] != width:
        raise InputError(
            f"network.path: {MOMENTS} has {found.means.shape[1]} features, the trunk has {width}"
        )
    return found
