"""Elastic weight consolidation (arXiv 1612.00796): what mattered for the old classes is held.

All weights go on from the base, on the new images alone; a penalty on each weight's distance from
the base's is as strong as the Fisher information that is kept of it. The recipe runs to its end.
With one new class nothing else says what is not of it: with a weak penalty everything becomes of
that class, with a strong one it is not learned, and new images can't tell where between.
"""

from copy import deepcopy
from pathlib import Path

import torch

from pipeline.core.labelled import Labelled
from pipeline.core.params import NotNegative, Seed
from pipeline.core.seeding import derive
from pipeline.learning import fine_tuning
from pipeline.learning.compute import Compute
from pipeline.learning.fine_tuning import Unjudged
from pipeline.new_class import results
from pipeline.new_class.results.steps import one_after_another
from pipeline.techniques.fisher import Fisher

FISHER = Path("data/fisher/fisher.safetensors")


class Ewc(Unjudged):
    """`penalty` is the paper's λ."""

    penalty: NotNegative


@one_after_another
def main(seed: Seed, compute: Compute, ewc: Ewc) -> None:
    device = compute.start()
    torch.manual_seed(derive(seed, "ewc"))
    base = results.load_base()
    new = Labelled.load("data/split/new_train")
    kept, _ = Fisher.load(FISHER)
    if not kept.weights:
        results.left_out("ewc", "Fisher information of the old classes")
        return

    model = deepcopy(base).to(device)
    penalty = kept.penalty(model, ewc.penalty)
    fine_tuning.to_the_end(model, [new], ewc, device, penalty=penalty, progress="ewc")
    results.save("ewc", model, base, kept_bytes=FISHER.stat().st_size)
