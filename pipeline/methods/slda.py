"""Streaming linear discriminant analysis: adds the new classes to kept means and one covariance."""

from pathlib import Path

from pipeline.core.labelled import Labelled
from pipeline.core.params import Fraction, Section
from pipeline.learning import loading
from pipeline.learning.compute import Compute
from pipeline.new_class import results
from pipeline.new_class.results.steps import one_after_another
from pipeline.techniques.statistics import linear
from pipeline.techniques.statistics.slda import Moments

MOMENTS = Path("data/statistics/moments.safetensors")


class Slda(Section):
    """`shrinkage` is the share of the covariance that becomes a multiple of the identity matrix."""

    shrinkage: Fraction


@one_after_another
def main(compute: Compute, slda: Slda) -> None:
    device = compute.start()
    base = results.load_base()
    new = Labelled.load("data/features/new_train")
    old = Moments.load(MOMENTS)
    if not len(old.labels):
        results.left_out("slda", "statistics of the old classes")
        return

    moments = old.plus(Moments.of(*loading.tensors(device, new)))
    model = linear.classifier(base, *moments.classifier(slda.shrinkage), len(new.classes))
    results.save("slda", model, base, kept_bytes=MOMENTS.stat().st_size)
