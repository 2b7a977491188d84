"""Condenses the features of the old classes into what may be kept when the images may not."""

import sys

from pipeline.core.labelled import Labelled
from pipeline.core.params import Count, Section, Seed
from pipeline.core.seeding import derive
from pipeline.learning import training
from pipeline.learning.compute import Compute
from pipeline.techniques.gaussians import Gaussians
from pipeline.techniques.ridge import Projection, Sums
from pipeline.techniques.slda import Moments


class Statistics(Section):
    """`rank` directions of each class's covariance; `width` random features for `analytic`."""

    rank: Count
    width: Count


def main(seed: Seed, compute: Compute, statistics: Statistics) -> None:
    device = compute.start()
    old = Labelled.load("data/features/old_train")
    features, labels = training.tensors(device, old)

    width = features.shape[1]
    if statistics.rank > width:
        print(f"statistics.rank {statistics.rank}: {width} kept, all there are", file=sys.stderr)
    gaussians = Gaussians.of(features, labels, min(statistics.rank, width))
    projection = Projection(derive(seed, "statistics"), statistics.width)
    sums = Sums.of(projection, features, labels, len(old.classes))

    Moments.of(features, labels).save("data/statistics/moments.safetensors")
    gaussians.save("data/statistics/gaussians.safetensors")
    sums.save("data/statistics/sums.safetensors", projection.seed)
