"""The trainings of the sweep: every contender at each of its learning rates, and as published."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from pydantic import Field
from torch import Tensor

from pipeline.core.params import Count, Fraction, Positive, Section
from pipeline.core.seeding import derive
from pipeline.learning import training
from pipeline.learning.augmentation import Augmentation
from pipeline.learning.models import Classifier
from pipeline.learning.training import Optimisation, Recipe
from pipeline.learning.validation import Validation
from pipeline.ranks import wide
from pipeline.ranks.wide import Contender
from pipeline.search.workers import Outcome, Values


class Setting(Optimisation):
    """How all contenders train but for their learning rates."""

    epochs: Count
    dropout: Fraction
    augmentation: Augmentation

    def recipe(self, learning_rate: float) -> Recipe:
        """The recipe at a learning rate; all epochs are run."""
        return Recipe(
            **{name: getattr(self, name) for name in Optimisation.model_fields},
            epochs=self.epochs,
            learning_rate=learning_rate,
            patience=self.epochs,
        )


class Published(Setting):
    learning_rate: Positive


class Rates(Section):
    """The learning rates that each contender is trained with; validation data choose.

    Without one, the new last layer is left out.
    """

    full: list[Positive] = Field(min_length=1)
    last_layer: list[Positive]
    lora: list[Positive] = Field(min_length=1)

    def of(self, contender: Contender) -> list[float]:
        """Those of one contender."""
        rates: list[float] = getattr(self, contender.trains)
        return rates


class Sweep(Section):
    """An update of rank r is scaled by `alpha` / r, or, if `stabilised`, by `alpha` / √r.

    The latter is arXiv 2312.03732. `published` is how the original trained all contenders: its
    learning rate for all, updates scaled by the number of a layer's inputs. None leaves it out.
    """

    ranks: list[Count] = Field(min_length=1)
    alpha: Positive
    stabilised: bool
    learning_rates: Rates
    setting: Setting
    published: Published | None

    def scaling(self, rank: int, inputs: int, published: bool) -> float:
        """The factor of an adapter's update."""
        if published:
            return inputs
        return self.alpha / (rank**0.5 if self.stabilised else rank)

    def cases(self) -> list[Values]:
        """The values of all trials."""
        contenders = wide.contenders(self.ranks)
        tuned = _cases(contenders, self.learning_rates.of, published=False)
        if not self.published:
            return tuned
        rates = [self.published.learning_rate]
        repeated = [each for each in contenders if each.trains != "last_layer"]
        return [*tuned, *_cases(repeated, lambda contender: rates, published=True)]


def _cases(
    contenders: Sequence[Contender], rates: Callable[[Contender], Sequence[float]], published: bool
) -> list[Values]:
    return [
        {"contender": contender, "learning_rate": rate, "published": published}
        for contender in contenders
        for rate in rates(contender)
    ]


@dataclass(frozen=True)
class SweepTrial:
    """A contender's training; its random numbers depend on its name alone."""

    seed: int
    sweep: Sweep
    base: Classifier
    images: Tensor
    labels: Tensor
    validation: Validation

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
            setting.recipe(values["learning_rate"]),
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
