"""Learning without forgetting (arXiv 1606.09282): what the base says of new images is distilled.

All weights go on from the base, on the new images alone, whose old logits are held by distillation.
One output layer serves all classes, as is usual where the task is not told. With one new class its
row rises above the old ones, which distillation does not see: everything becomes of that class.
The recipe runs to its end: new images cannot tell when the old ones are lost.
"""

from copy import deepcopy

import torch
import torch.nn.functional as F
from torch import Tensor

from pipeline.core.labelled import Labelled
from pipeline.core.params import NotNegative, Positive, Seed
from pipeline.core.seeding import derive
from pipeline.learning import fine_tuning, loading, losses, training
from pipeline.learning.compute import Compute
from pipeline.learning.fine_tuning import Unjudged
from pipeline.new_class import results
from pipeline.new_class.results.steps import one_after_another


class Distillation(Unjudged):
    """`weight` is that of the distillation, the paper's λ; `temperature` softens it."""

    weight: NotNegative
    temperature: Positive


@one_after_another
def main(seed: Seed, compute: Compute, distillation: Distillation) -> None:
    device = compute.start()
    torch.manual_seed(derive(seed, "distillation"))
    base = results.load_base()
    new = Labelled.load("data/split/new_train")
    images, labels = loading.tensors(device, new)
    old = [label for label in range(len(new.classes)) if label not in new.new]
    model = deepcopy(base).to(device)
    before = training.predict(model, images)[:, old]

    def loss(logits: Tensor, chosen: Tensor) -> Tensor:
        smoothing = distillation.label_smoothing
        learned = F.cross_entropy(logits, labels[chosen], label_smoothing=smoothing)
        held = losses.distillation(logits[:, old], before[chosen], distillation.temperature)
        return learned + distillation.weight * held

    fine_tuning.to_the_end(model, [new], distillation, device, loss=loss, progress="distillation")
    results.save("distillation", model, base)
