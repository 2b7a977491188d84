"""Many short trainings of contenders, side by side on all cores."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from pipeline.core.errors import InputError
from pipeline.core.labelled import Labelled
from pipeline.learning import loading
from pipeline.learning.compute import Compute
from pipeline.learning.networks import Classifier
from pipeline.learning.training import Curve, Recipe
from pipeline.learning.validation import Validation
from pipeline.search import workers
from pipeline.search.workers import Outcome, Values
from pipeline.shapes import contenders
from pipeline.shapes.contenders import Contender


@dataclass(frozen=True)
class Training:
    """A contender's training on some images; `seed` gives its random numbers."""

    contender: Contender
    seed: int
    images: Labelled
    held_out: Labelled
    recipe: Recipe


@dataclass(frozen=True)
class _Run:
    base: Classifier
    device: torch.device

    def __call__(self, number: int, values: Values) -> Outcome:
        training: Training = values["training"]
        torch.manual_seed(training.seed)
        classes = len(training.images.classes)
        model = training.contender.untrained(self.base, classes).to(self.device)
        images, labels = loading.tensors(self.device, training.images)
        validation = Validation.of(training.held_out, "overall", self.device)
        curve = contenders.train(model, images, labels, training.recipe, validation)
        return Outcome(validation.score(curve[-1]), {}, (model.cpu(), curve))


def run(
    base: Classifier, trainings: Sequence[Training], compute: Compute, name: str
) -> list[tuple[Classifier, Curve]]:
    """Runs trainings on all cores, each on one thread, which their results don't depend on.

    Args:
        base: what the contenders start from.
        trainings: all of them.
        compute: how the workers compute.
        name: of the progress bar.

    Returns:
        Of each training, in their order, the trained model, on the CPU, and its curve.

    Raises:
        InputError: if one diverged.
    """
    device = compute.start(threads=1)
    # Those of whole networks take the longest, and come first, so that no core waits for one.
    order = sorted(trainings, key=lambda training: training.contender.frozen)
    cases = [{"training": training} for training in order]
    outcomes = workers.run_all(_Run(base, device), cases, compute, name)
    results = {}
    for training, outcome in zip(order, outcomes, strict=True):
        if outcome.result is None:
            rate = training.recipe.learning_rate
            raise InputError(
                f"{training.contender.name} diverged at a learning rate of {rate:g}; a lower one "
                f"may help (shapes.{name}.{training.contender.name}.learning_rate)"
            )
        results[id(training)] = outcome.result
    return [results[id(training)] for training in trainings]
