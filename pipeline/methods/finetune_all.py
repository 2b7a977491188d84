"""Naive fine-tuning, the lower bound: all weights go on from the base, on the new images alone.

Nothing says what is not of a new class, so that everything becomes one; that is what the other
methods prevent. The recipe runs to its end: new images cannot tell when the old ones are lost.
"""

from copy import deepcopy

import torch

from pipeline.core.labelled import Labelled
from pipeline.core.params import Seed
from pipeline.core.seeding import derive
from pipeline.learning import fine_tuning
from pipeline.learning.compute import Compute
from pipeline.learning.fine_tuning import Unjudged
from pipeline.new_class import results
from pipeline.new_class.results.steps import one_after_another


@one_after_another
def main(seed: Seed, compute: Compute, finetune_all: Unjudged) -> None:
    device = compute.start()
    torch.manual_seed(derive(seed, "finetune_all"))
    base = results.load_base()
    new = Labelled.load("data/split/new_train")
    results.require_new(new)

    model = deepcopy(base).to(device)
    fine_tuning.to_the_end(model, [new], finetune_all, device, progress="finetune_all")
    results.save("finetune_all", model, base)
