"""Prototypes: an image is of the class whose mean feature has the smallest angle to its own.

SimpleCIL, arXiv 2303.07338. An image's own norm scales all of its logits, and so changes no answer:
it is left out, and the classifier is a linear one.
"""

import torch
import torch.nn.functional as F

from pipeline.core.labelled import Labelled
from pipeline.core.params import Positive, Section
from pipeline.learning import loading
from pipeline.learning.compute import Compute
from pipeline.new_class import results
from pipeline.new_class.results.steps import one_after_another
from pipeline.techniques.statistics import linear
from pipeline.techniques.statistics.gaussians import Gaussians


class Prototypes(Section):
    """`scale` turns projections on the means' directions into logits; accuracy doesn't see it."""

    scale: Positive


@one_after_another
def main(compute: Compute, prototypes: Prototypes) -> None:
    device = compute.start()
    base = results.load_base()
    old = Gaussians.load(results.GAUSSIANS)
    new = Labelled.load("data/features/new_train")
    if not len(old.labels):
        results.left_out("prototypes", "statistics of the old classes")
        return

    features, labels = loading.tensors(device, new)
    means = torch.cat(
        [old.means, *(features[labels == each].mean(0)[None].cpu() for each in new.new)]
    )
    weight = prototypes.scale * F.normalize(means)
    known = torch.cat([old.labels, torch.tensor(new.new)])
    model = linear.classifier(base, weight, torch.zeros(len(means)), known, len(new.classes))
    results.save("prototypes", model, base, kept_bytes=old.means.nbytes)
