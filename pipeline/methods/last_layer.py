"""Linear probe: trains the output layer alone, on old and new classes together."""

import torch

from pipeline.core.labelled import Labelled
from pipeline.core.params import Seed
from pipeline.core.seeding import derive
from pipeline.learning import loading, models, training
from pipeline.learning.compute import Compute
from pipeline.learning.training import Recipe
from pipeline.learning.validation import Validation
from pipeline.new_class import results
from pipeline.new_class.results.steps import one_after_another


@one_after_another
def main(seed: Seed, compute: Compute, last_layer: Recipe) -> None:
    device = compute.start(threads=1)
    torch.manual_seed(derive(seed, "last_layer"))
    base = results.load_base()
    old = Labelled.load("data/features/old_train")
    new = Labelled.load("data/features/new_train")
    if not len(old.labels):
        results.left_out("last_layer", "images of the old classes")
        return
    validation = results.validation("features")

    model = models.with_head(base, base.head).to(device)
    model.head.requires_grad_(False)
    model.head.get_submodule("output").requires_grad_(True)
    curve = training.fit(
        model.head,
        *loading.join(device, old, new),
        last_layer,
        Validation.of(validation, "overall", device),
        progress="last_layer",
    )
    kept_bytes = results.old_count(old, validation) * base.input_bytes
    results.save("last_layer", model, base, kept_bytes=kept_bytes, curve=curve)
