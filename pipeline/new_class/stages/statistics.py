"""Condenses the features of the old classes into what may be kept when the images may not."""

from pipeline.core.errors import InputError
from pipeline.core.labelled import Labelled
from pipeline.core.params import Count, Section, Seed
from pipeline.core.seeding import derive
from pipeline.learning import training
from pipeline.learning.compute import Compute
from pipeline.techniques.gaussians import Gaussians
from pipeline.techniques.ridge import Projection, Sums


class Statistics(Section):
    """`rank` directions of each class's covariance; `width` random features for `analytic`."""

    rank: Count
    width: Count


def main(seed: Seed, compute: Compute, statistics: Statistics) -> None:
    device = compute.start()
    old = Labelled.load("data/features/old_train")
    features, labels = training.tensors(device, old)

    if statistics.rank > features.shape[1]:
        raise InputError(
            f"params.yaml: statistics.rank is {statistics.rank}, but there are only "
            f"{features.shape[1]} features"
        )
    gaussians = Gaussians.of(features, labels, statistics.rank)
    projection = Projection(derive(seed, "statistics"), statistics.width)
    sums = Sums.of(projection, features, labels, len(old.classes))

    gaussians.save("data/statistics/gaussians.safetensors")
    sums.save("data/statistics/sums.safetensors", projection.seed)
