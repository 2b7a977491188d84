"""Training on the new classes alone, held near the base; a study chooses how."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import torch
from pydantic import Field
from torch import Tensor, nn

from pipeline.core.params import Count, NotNegative, Section
from pipeline.learning import training
from pipeline.learning.compute import Compute
from pipeline.learning.networks import Classifier
from pipeline.learning.optimisation import Optimisation
from pipeline.learning.training import Curve, Recipe
from pipeline.learning.validation import Objective, Validation
from pipeline.search import study
from pipeline.search.rungs import Pruner
from pipeline.search.samplers import Range, Sampler
from pipeline.search.workers import Outcome, Values
from pipeline.techniques import adapters, strength


class Search(Section):
    """What a study chooses from; `anchor` weighs the squared distance from the base weights."""

    learning_rate: Range
    epochs: Range
    anchor: Range


class Studied(Optimisation):
    """A training on the new classes alone, whose settings a study on validation data chooses.

    The study's values are found by its `sampler`; its `pruner` ends trials early. `strengths` are
    tried afterwards, on validation data too. `check` is the number of steps between validations,
    `patience` that of validations without a better score, `least_steps` as in a `Recipe`.
    """

    trials: Count
    sampler: Sampler
    pruner: Pruner
    objective: Objective
    check: Count
    patience: Count
    least_steps: int = Field(default=0, ge=0)
    search: Search
    strengths: list[NotNegative] = Field(min_length=1)

    def recipe(self, values: Values) -> Recipe:
        """The recipe of a trial."""
        return Recipe(
            **{name: getattr(self, name) for name in Optimisation.model_fields},
            epochs=values["epochs"],
            learning_rate=values["learning_rate"],
            patience=self.patience,
            least_steps=self.least_steps,
        )


@dataclass(frozen=True)
class Trial:
    """A trial that trains a model on the new classes alone.

    Attributes:
        seeds: gives the study's seed, and, from its number, a trial's.
        settings: what the trials have in common.
        model: the base model, or its head alone: `on_features`.
        inputs: what the model takes: images of the new classes, or features.
        labels: `(n,)`, int64.
        validation: images or features of all classes.
        adapt: puts adapters on a copy of the model, in place (default: all of it is trained).
    """

    seeds: Callable[..., int]
    settings: Studied
    model: Classifier
    inputs: Tensor
    labels: Tensor
    validation: Validation
    adapt: Callable[[Classifier], None] | None = None

    def __call__(self, number: int, values: Values) -> Outcome:
        """Trains with a study's values, and measures on validation data."""
        torch.manual_seed(self.seeds(number))
        model = deepcopy(self.model)
        if self.adapt:
            self.adapt(model)
        curve = training.fit(
            model,
            self.inputs,
            self.labels,
            self.settings.recipe(values),
            self.validation,
            penalty=distance(model, values["anchor"], from_zero=bool(self.adapt)),
            every=self.settings.check,
        )
        measured = self.validation.measure(training.predict(model, self.validation.inputs))
        return Outcome(self.validation.score(measured), measured, (model, curve))


def distance(model: nn.Module, weight: float, from_zero: bool) -> Callable[[], Tensor]:
    """L2-SP (arXiv 1802.01483): the squared distance of the trained weights from where they start.

    Args:
        model: whose weights that require a gradient are anchored.
        weight: of the penalty.
        from_zero: the distance from zero instead, for adapters, whose base is no update.
    """
    trained = [value for value in model.parameters() if value.requires_grad]
    start = [torch.zeros_like(value) if from_zero else value.detach().clone() for value in trained]

    def penalty() -> Tensor:
        pairs = zip(trained, start, strict=True)
        return weight * torch.stack([(now - then).square().sum() for now, then in pairs]).sum()

    return penalty


@dataclass(frozen=True)
class Learned:
    """What a study on the new classes alone came to.

    Attributes:
        model: the best trial's, adapters and all, as trained.
        strength: of the change, chosen on validation data.
        curve: the best trial's training, a row per validation.
        rows: the study, a row per trial.
    """

    model: Classifier
    strength: float
    curve: Curve
    rows: list[dict[str, Any]]


def learn_new(trial: Trial, compute: Compute, name: str) -> Learned:
    """Studies how to train a model on the new classes alone, then chooses the strength.

    Args:
        trial: one of the study's.
        compute: how the workers compute.
        name: of the progress bar.
    """
    settings = trial.settings
    space = {key: getattr(settings.search, key) for key in Search.model_fields}
    found = study.search(
        trial,
        space,
        settings.trials,
        trial.seeds(),
        compute,
        name,
        settings.sampler,
        settings.pruner,
    )
    model, curve = found.best.result
    merged = deepcopy(model)
    adapters.merge(merged)
    chosen = strength.choose(trial.model, merged, settings.strengths, trial.validation)
    adapters.set_strength(model, chosen)
    return Learned(model, chosen, curve, found.rows)
