"""Training a head on cached features: what replay, sequential, LoRA and their kin share."""

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import torch
from pydantic import Field
from torch import Tensor, nn

from pipeline import adapters, methods, models, training, tuning
from pipeline.compute import Compute
from pipeline.models import Classifier
from pipeline.params import Count, NotNegative, Section
from pipeline.seeding import derive
from pipeline.training import Curve, Recipe
from pipeline.tuning import Outcome, Range, Values
from pipeline.validation import Objective, Score, Validation


class Search(Section):
    """What a study chooses from; `anchor` weighs the squared distance from the base weights."""

    learning_rate: Range
    epochs: Range
    anchor: Range


class Studied(Section):
    """A training on the new classes alone, whose settings a study on validation data chooses.

    `strengths` are tried afterwards, on validation data too. `check` is the number of steps between
    validations.
    """

    trials: Count
    objective: Objective
    optimizer: str = Field(pattern="^(adam|adamw|sgd|rmsprop)$")
    batch: Count
    check: Count
    patience: Count
    search: Search
    strengths: list[NotNegative] = Field(min_length=1)

    def recipe(self, values: Values) -> Recipe:
        """The recipe of a trial."""
        return Recipe.model_validate(
            {
                "epochs": values["epochs"],
                "batch": self.batch,
                "learning_rate": values["learning_rate"],
                "optimizer": self.optimizer,
                "schedule": "constant",
                "weight_decay": 0.0,
                "label_smoothing": 0.0,
                "patience": self.patience,
            }
        )


@dataclass(frozen=True)
class HeadTrial:
    """A trial that trains a head on the features of the new classes alone.

    Attributes:
        name: of the method, for its seed.
        seed: of the pipeline.
        settings: what the trials have in common.
        head: the base model's.
        inputs: `(n, width)`, float32: features of the new classes.
        labels: `(n,)`, int64.
        validation: features of all classes.
        adapt: prepares a copy of the head for training, in place (default: all of it is trained).
    """

    name: str
    seed: int
    settings: Studied
    head: nn.Module
    inputs: Tensor
    labels: Tensor
    validation: Validation
    adapt: Callable[[nn.Module], None] | None = None

    def __call__(self, number: int, values: Values) -> Outcome:
        """Trains with a study's values, and measures on validation data."""
        torch.manual_seed(derive(self.seed, self.name, number))
        head = deepcopy(self.head)
        if self.adapt:
            self.adapt(head)
        curve = training.fit(
            head,
            self.inputs,
            self.labels,
            self.settings.recipe(values),
            self.validation,
            penalty=distance(head, values["anchor"]),
            every=self.settings.check,
        )
        measured = self.validation.measure(training.predict(head, self.validation.inputs))
        return Outcome(self.validation.score(measured), measured, (head, curve))


def distance(model: nn.Module, weight: float) -> Callable[[], Tensor]:
    """L2-SP (arXiv 1802.01483): the squared distance of the trained weights from the base.

    For adapters, whose base is no update, that is the squared norm of their matrices.
    """
    trained = [value for value in model.parameters() if value.requires_grad]
    low_rank = bool(adapters.adapted(model))
    start = [torch.zeros_like(value) if low_rank else value.detach().clone() for value in trained]

    def penalty() -> Tensor:
        pairs = zip(trained, start, strict=True)
        return weight * torch.stack([(now - then).square().sum() for now, then in pairs]).sum()

    return penalty


@dataclass(frozen=True)
class Learned:
    """What a study on the new classes alone came to.

    Attributes:
        wrapped: the best trial's model, adapters and all, at the chosen strength.
        model: the same, adapters merged.
        tuned: the same at strength 1.
        strength: chosen on validation data.
        curve: the best trial's training, a row per validation.
        rows: the study, a row per trial.
    """

    wrapped: Classifier
    model: Classifier
    tuned: Classifier
    strength: float
    curve: Curve
    rows: list[dict[str, Any]]

    def save(self, trial: HeadTrial) -> None:
        """Saves all but the adapters where `evaluate` finds it.

        Raises:
            InputError: if a file can't be written.
        """
        methods.save(
            trial.name,
            self.model,
            trainable=models.trainable_parameters(self.wrapped),
            curve=self.curve,
            study=self.rows,
            tuned=self.tuned,
            strength=self.strength,
            strengths=trial.settings.strengths,
        )


def learn_new(trial: HeadTrial, base: Classifier, compute: Compute) -> Learned:
    """Studies how to train a head on the new classes alone, then chooses the strength."""
    settings, seed = trial.settings, derive(trial.seed, trial.name)
    space = {name: getattr(settings.search, name) for name in Search.model_fields}
    study = tuning.search(trial, space, settings.trials, seed, compute, trial.name)
    head, curve = study.best.result
    merged = deepcopy(head)
    adapters.merge(merged)
    strength = choose_strength(trial.head, merged, settings.strengths, trial.validation)
    adapters.set_strength(head, strength)
    chosen = adapters.interpolate(trial.head, merged, strength)
    return Learned(
        wrapped=models.with_head(base, head),
        model=models.with_head(base, chosen),
        tuned=models.with_head(base, merged),
        strength=strength,
        curve=curve,
        rows=study.rows,
    )


def choose_strength(
    base: nn.Module, tuned: nn.Module, strengths: Sequence[float], validation: Validation
) -> float:
    """The strength with the best score on validation data; of equals, the first."""

    def score(strength: float) -> Score:
        model = adapters.interpolate(base, tuned, strength)
        return validation.score(validation.measure(training.predict(model, validation.inputs)))

    return max(strengths, key=score)
