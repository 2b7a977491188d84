"""The trainings of the sweep: every contender at each of its learning rates, and as published."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from pipeline.core.params import ClassName, Count, Distinct, Fraction, Positive, Section
from pipeline.core.seeding import derive
from pipeline.learning import training
from pipeline.learning.augmentation import Augmentation
from pipeline.learning.networks import Classifier
from pipeline.learning.optimisation import Optimisation
from pipeline.learning.training import Recipe
from pipeline.learning.validation import Validation
from pipeline.ranks import wide
from pipeline.ranks.wide import Contender
from pipeline.search.workers import Outcome, Values


class Setting(Optimisation):
    """How all contenders train but for their learning rates."""

    epochs: Count
    dropout: Fraction
    augmentation: Augmentation

    def recipe(self, learning_rate: float, epochs: int, least_steps: int = 0) -> Recipe:
        """The recipe at a learning rate; all epochs are run."""
        return Recipe(
            **{name: getattr(self, name) for name in Optimisation.model_fields},
            epochs=epochs,
            least_steps=least_steps,
            learning_rate=learning_rate,
            patience=epochs,
        )


class Published(Setting):
    learning_rate: Positive


class Rates(Section):
    """The learning rates that each contender tries; validation data choose.

    Without one, the new last layer is left out.
    """

    full: Annotated[list[Positive], Field(min_length=1), Distinct]
    last_layer: Annotated[list[Positive], Distinct]
    lora: Annotated[list[Positive], Field(min_length=1), Distinct]

    def of(self, contender: Contender) -> list[float]:
        """Those of one contender."""
        rates: list[float] = getattr(self, contender.trains)
        return rates


class Sweep(Section):
    """An update of rank r is scaled by `alpha` / r, or, if `stabilised`, by `alpha` / √r.

    The latter is arXiv 2312.03732. Learning rates are tried for `trial_steps`, or up to
    an epoch's more. `published` is how the original trained all contenders: its learning rate for
    all, updates scaled by the number of a layer's inputs. None leaves it out. `classes` are those
    that the base is adapted to, for one task of several (default: all that it does not know).
    """

    ranks: Annotated[list[Count], Field(min_length=1), Distinct]
    alpha: Positive
    stabilised: bool
    learning_rates: Rates
    trial_steps: Count
    setting: Setting
    published: Published | None
    classes: list[ClassName] | None = None

    def scaling(self, rank: int, inputs: int, published: bool) -> float:
        """The factor of an adapter's update."""
        if published:
            return inputs
        return self.alpha / (rank**0.5 if self.stabilised else rank)

    def trials(self) -> list[Values]:
        """Short trainings of every contender that has learning rates to choose from."""
        return [
            _values(contender, rate, epochs=1)
            for contender in wide.contenders(self.ranks)
            for rate in self.learning_rates.of(contender)
            if len(self.learning_rates.of(contender)) > 1
        ]

    def trainings(self, chosen: Mapping[Contender, float]) -> list[Values]:
        """The trainings that count: every contender at its learning rate, and as published.

        Args:
            chosen: the learning rates of those that tried several.
        """
        contenders = wide.contenders(self.ranks)
        tuned = [
            _values(contender, chosen.get(contender, rates[0]), self.setting.epochs)
            for contender in contenders
            if (rates := self.learning_rates.of(contender))
        ]
        if not (published := self.published):
            return tuned
        same = [
            _values(contender, published.learning_rate, published.epochs, published=True)
            for contender in contenders
            if contender.trains != "last_layer"
        ]
        return [*tuned, *same]


def _values(
    contender: Contender, learning_rate: float, epochs: int, published: bool = False
) -> Values:
    return {
        "contender": contender,
        "learning_rate": learning_rate,
        "epochs": epochs,
        "published": published,
    }


@dataclass(frozen=True)
class SweepTrial:
    """A contender's training; its random numbers depend on its name alone.

    An epoch goes through the images until it has `least_steps`.
    """

    seed: int
    sweep: Sweep
    base: Classifier
    images: Tensor
    labels: Tensor
    validation: Validation
    least_steps: int = 0

    def short(self) -> "SweepTrial":
        """The same for trials of learning rates: on no more images than their steps take."""
        steps = self.sweep.trial_steps
        torch.manual_seed(derive(self.seed, "rank_sweep", "trials"))
        chosen = torch.randperm(len(self.images))[: steps * self.sweep.setting.batch]
        images, labels = self.images[chosen], self.labels[chosen]
        return replace(self, images=images, labels=labels, least_steps=steps)

    def untrained(self, values: Values) -> Classifier:
        """A contender as it starts."""
        contender: Contender = values["contender"]
        torch.manual_seed(derive(self.seed, "rank_sweep", contender.name))
        scaling = partial(self.sweep.scaling, published=values["published"])
        return wide.untrained(contender, self.base, self._setting(values).dropout, scaling)

    def __call__(self, number: int, values: Values) -> Outcome:
        """Trains `contender` at `learning_rate`, as `published` or not; hands on its weights."""
        setting, model = self._setting(values), self.untrained(values)
        curve = training.fit(
            model,
            self.images,
            self.labels,
            setting.recipe(values["learning_rate"], values["epochs"], self.least_steps),
            self.validation,
            prepare=setting.augmentation,
        )
        measured = max(curve, key=self.validation.score)
        return Outcome(self.validation.score(measured), measured, (_trained(model), curve))

    def _setting(self, values: Values) -> Setting:
        published = self.sweep.published if values["published"] else None
        return published or self.sweep.setting


def _trained(model: Classifier) -> dict[str, Tensor]:
    """The weights of a model that a training changes, by their names, on the CPU."""
    return {
        name: weight.detach().cpu()
        for name, weight in model.named_parameters()
        if weight.requires_grad
    }
