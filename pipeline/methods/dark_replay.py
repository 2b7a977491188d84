"""Dark experience replay, DER++ (arXiv 2004.07211): kept images come with what the base said then.

All weights go on from the base, on as many new images as kept ones. Kept images are learned with
their labels, and their logits are held where the base's were. In a later step the base is the
model of the step before, which says them anew.
"""

from copy import deepcopy

import torch
import torch.nn.functional as F
from torch import Tensor

from pipeline.core.labelled import Labelled
from pipeline.core.params import Count, NotNegative, Seed
from pipeline.core.seeding import derive
from pipeline.learning import fine_tuning, loading, losses, training
from pipeline.learning.compute import Compute
from pipeline.learning.fine_tuning import Unjudged
from pipeline.new_class import results
from pipeline.new_class.results.steps import one_after_another
from pipeline.techniques import rehearsal


class DarkReplay(Unjudged):
    """`budget` images of every old class are kept (null: all); `alpha`, `beta` are the paper's."""

    budget: Count | None
    alpha: NotNegative
    beta: NotNegative
    weight_aligning: bool


@one_after_another
def main(seed: Seed, compute: Compute, dark_replay: DarkReplay) -> None:
    device = compute.start()
    torch.manual_seed(derive(seed, "dark_replay"))
    base = results.load_base()
    old = Labelled.load("data/split/old_train")
    new = Labelled.load("data/split/new_train")
    if not len(old.labels):
        results.left_out("dark_replay", "images of the old classes")
        return

    kept = old.few(dark_replay.budget, derive(seed, "kept"))
    model = deepcopy(base).to(device)
    said = training.predict(model, loading.tensors(device, kept)[0])
    ratio = len(new.labels) / len(kept.labels)
    times, shown = max(1, round(ratio)), max(1, round(1 / ratio))
    parts = [*[kept] * times, *[new] * shown]
    labels = torch.cat([loading.tensors(device, part)[1] for part in parts])
    before = said.repeat(times, 1)

    def loss(logits: Tensor, chosen: Tensor) -> Tensor:
        smoothing = dark_replay.label_smoothing
        each = F.cross_entropy(logits, labels[chosen], reduction="none", label_smoothing=smoothing)
        is_old = chosen < len(before)
        return losses.dark_experience(
            logits, each, is_old, before[chosen[is_old]], dark_replay.alpha, dark_replay.beta
        )

    fine_tuning.to_the_end(model, parts, dark_replay, device, loss=loss, progress="dark_replay")
    if dark_replay.weight_aligning:
        rehearsal.align(model, new.new, old)
    kept_bytes = kept.inputs.nbytes + said.nbytes
    results.save("dark_replay", model, base, kept_bytes=kept_bytes)
