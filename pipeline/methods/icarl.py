"""iCaRL (arXiv 1611.07725): exemplars are kept, and an image is of the class of the nearest mean.

All weights go on from the base, on the new images and on exemplars of the old classes, chosen by
herding; what the base said of both is distilled. The paper's sigmoid of every class is replaced by
the cross-entropy and a softened softmax, for the base was trained so. Then the new classes get
exemplars too, and the means of all exemplars' features take the place of the last layer; what was
trained there is saved, too, for a next step to go on from.
"""

from copy import deepcopy

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from pipeline.core.labelled import Labelled
from pipeline.core.params import Count, NotNegative, Positive, Seed
from pipeline.core.seeding import derive
from pipeline.learning import changes, fine_tuning, loading, losses, training
from pipeline.learning.compute import Compute
from pipeline.learning.fine_tuning import Unjudged
from pipeline.new_class import results
from pipeline.new_class.results.restoring import TRAINED
from pipeline.new_class.results.steps import keeping
from pipeline.techniques import rehearsal


class Icarl(Unjudged):
    """`budget` exemplars a class (null: all); `weight` and `temperature` as for distillation."""

    budget: Count | None
    weight: NotNegative
    temperature: Positive


@keeping(rehearsal.exemplars)
def main(seed: Seed, compute: Compute, icarl: Icarl) -> None:
    device = compute.start()
    torch.manual_seed(derive(seed, "icarl"))
    base = results.load_base()
    old = Labelled.load("data/split/old_train")
    new = Labelled.load("data/split/new_train")
    if not len(old.labels):
        results.left_out("icarl", "images of the old classes")
        return

    model = deepcopy(base).to(device)
    parts = [rehearsal.exemplars(model, old, icarl.budget), new]
    known = np.unique(old.labels)
    images, labels = zip(*(loading.tensors(device, part) for part in parts), strict=True)
    before = torch.cat([training.predict(model, part)[:, known] for part in images])
    actual = torch.cat(labels)

    def loss(logits: Tensor, chosen: Tensor) -> Tensor:
        smoothing = icarl.label_smoothing
        learned = F.cross_entropy(logits, actual[chosen], label_smoothing=smoothing)
        held = losses.distillation(logits[:, known], before[chosen], icarl.temperature)
        return learned + icarl.weight * held

    fine_tuning.to_the_end(model, parts, icarl, device, loss=loss, progress="icarl")
    parts[1] = rehearsal.exemplars(model, new, icarl.budget)
    nearest = rehearsal.nearest_mean(model, *parts)
    changes.save(results.METHODS / "icarl", nearest, base)
    changes.save(results.METHODS / "icarl" / TRAINED, model, nearest)
    results.save_about("icarl", model, kept_bytes=parts[0].inputs.nbytes)
