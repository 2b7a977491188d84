"""Condenses the features of the old classes into what may be kept when the images may not."""

from pipeline import training
from pipeline.compute import Compute
from pipeline.datasets import Labelled
from pipeline.gaussians import Gaussians
from pipeline.params import Count, Section, Seed
from pipeline.ridge import Projection, Sums
from pipeline.seeding import derive


class Statistics(Section):
    """`rank` directions of each class's covariance; `width` random features for `analytic`."""

    rank: Count
    width: Count


def main(seed: Seed, compute: Compute, statistics: Statistics) -> None:
    device = compute.start()
    old = Labelled.load("data/features/old_train.safetensors")
    features, labels = training.join(device, old)

    gaussians = Gaussians.of(features, labels, statistics.rank)
    projection = Projection(derive(seed, "statistics"), statistics.width)
    sums = Sums.of(projection, features, labels, len(old.classes))

    gaussians.save("data/statistics/gaussians.safetensors")
    sums.save("data/statistics/sums.safetensors", projection.seed)
