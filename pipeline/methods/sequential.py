"""Sequential fine-tuning: trains the whole head on the new classes alone."""

from functools import partial

from pipeline.core.labelled import Labelled
from pipeline.core.params import Seed
from pipeline.core.seeding import derive
from pipeline.learning import loading, models
from pipeline.learning.compute import Compute
from pipeline.learning.validation import Validation
from pipeline.new_class import results
from pipeline.new_class.results.steps import one_after_another
from pipeline.techniques import anchored
from pipeline.techniques.anchored import Studied, Trial


@one_after_another
def main(seed: Seed, compute: Compute, sequential: Studied) -> None:
    device = compute.start(threads=1)
    base = results.load_base().to(device)
    new = Labelled.load("data/features/new_train")
    validation = results.validation_without_old_images()

    trial = Trial(
        partial(derive, seed, "sequential"),
        sequential,
        base.on_features(),
        *loading.tensors(device, new),
        Validation.of(validation, sequential.objective, device),
    )
    learned = anchored.learn_new(trial, compute, "sequential")
    results.save(
        "sequential",
        models.with_head(base, learned.model.head),
        base,
        curve=learned.curve,
        study=learned.rows,
        strength=learned.strength,
        strengths=sequential.strengths,
        kept_bytes=results.kept_to_choose(),  # for the choices
    )
