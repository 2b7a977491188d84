"""Experience replay: trains the head on old and new classes together."""

import torch

from pipeline.core.labelled import Labelled
from pipeline.core.params import Count, Seed
from pipeline.core.seeding import derive
from pipeline.learning import loading, models, training
from pipeline.learning.compute import Compute
from pipeline.learning.training import Recipe
from pipeline.learning.validation import Validation
from pipeline.new_class import results
from pipeline.new_class.results.steps import one_after_another
from pipeline.techniques import rehearsal


class Replay(Recipe):
    """`budget` images of every old class are kept, and as many to choose on; null keeps all.

    `weight_aligning` makes up for their being fewer than the new ones (arXiv 1911.07053).
    """

    budget: Count | None
    weight_aligning: bool


@one_after_another
def main(seed: Seed, compute: Compute, replay: Replay) -> None:
    device = compute.start(threads=1)
    torch.manual_seed(derive(seed, "replay"))
    base = results.load_base()
    old = Labelled.load("data/features/old_train")
    new = Labelled.load("data/features/new_train")
    if not len(old.labels):
        results.left_out("replay", "images of the old classes")
        return

    drawn = derive(seed, "kept")
    kept = old.few(replay.budget, drawn)
    validation = results.validation("features", replay.budget, drawn)
    model = models.with_head(base, base.head).to(device)
    curve = training.fit(
        model.head,
        *loading.join(device, kept, new),
        replay,
        Validation.of(validation, "overall", device),
        progress="replay",
    )
    if replay.weight_aligning:
        rehearsal.align(model, new.new, old)
    kept_bytes = results.old_count(kept, validation) * base.input_bytes
    results.save("replay", model, base, kept_bytes=kept_bytes, curve=curve)
