"""Adapts the wide network to the other classes: LoRA at several ranks against full fine-tuning."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import torch
from pydantic import Field
from torch import Tensor

from pipeline import artifacts, models, training, tuning, wide
from pipeline.compute import Compute
from pipeline.datasets import Labelled
from pipeline.models import Classifier
from pipeline.params import Count, NotNegative, Positive, Section, Seed
from pipeline.seeding import derive
from pipeline.training import Augmentation, Recipe
from pipeline.tuning import Outcome, Values
from pipeline.validation import Validation


class Setting(Section):
    """How all contenders train but for their learning rates."""

    epochs: Count
    batch: Count
    optimizer: Literal["adam", "adamw", "sgd", "rmsprop"]
    schedule: Literal["constant", "one_cycle"]
    weight_decay: NotNegative
    dropout: float = Field(ge=0, lt=1)
    augmentation: Augmentation

    def recipe(self, learning_rate: float) -> Recipe:
        """The recipe at a learning rate; all epochs are run."""
        return Recipe(
            batch=self.batch,
            optimizer=self.optimizer,
            schedule=self.schedule,
            weight_decay=self.weight_decay,
            epochs=self.epochs,
            learning_rate=learning_rate,
            label_smoothing=0.0,
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

    def of(self, contender: str) -> list[float]:
        """Those of one contender."""
        rates: list[float] = getattr(self, contender, self.lora)
        return rates


class RankSweep(Section):
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


@dataclass(frozen=True)
class SweepTrial:
    """A contender's training; its random numbers depend on its name alone."""

    seed: int
    sweep: RankSweep
    base: Classifier
    images: Tensor
    labels: Tensor
    validation: Validation

    def setting(self, values: Values) -> Setting:
        """How a contender trains, as `published` or not."""
        published = self.sweep.published if values["published"] else None
        return published or self.sweep.setting

    def untrained(self, values: Values) -> Classifier:
        """A contender as it starts."""
        torch.manual_seed(derive(self.seed, "rank_sweep", values["contender"]))
        scaling = partial(self.sweep.scaling, published=values["published"])
        dropout = self.setting(values).dropout
        return wide.untrained(values["contender"], self.base, dropout, scaling)

    def __call__(self, number: int, values: Values) -> Outcome:
        """Trains `contender` at `learning_rate`, as `published` or not; hands on its weights."""
        setting, model = self.setting(values), self.untrained(values)
        curve = training.fit(
            model,
            self.images,
            self.labels,
            setting.recipe(values["learning_rate"]),
            self.validation,
            prepare=setting.augmentation,
        )
        measured = max(curve, key=self.validation.score)
        return Outcome(self.validation.score(measured), measured, (wide.trained(model), curve))


def main(seed: Seed, compute: Compute, rank_sweep: RankSweep) -> None:
    device = compute.start(threads=1)
    base = models.load("data/wide_base/model.safetensors").to(device)
    first = artifacts.load_json("data/wide_base/facts.json")["classes"]
    _, train = wide.halves(wide.training_data(), first)
    _, validation = wide.halves(Labelled.load("data/split/validation.safetensors"), first)
    watched = Validation.of(validation._replace(new=[]), "overall", device)
    trial = SweepTrial(seed, rank_sweep, base, *training.join(device, train), watched)

    contenders = wide.names(rank_sweep.ranks)
    tuned = cases(contenders, rank_sweep.learning_rates.of)
    same: list[Values] = []
    if published := rank_sweep.published:
        rates = [published.learning_rate]
        repeated = [name for name in contenders if name != "last_layer"]
        same = cases(repeated, lambda name: rates, published=True)
    outcomes = tuning.run_all(trial, [*tuned, *same], compute, "rank_sweep")
    finished = list(zip([*tuned, *same], outcomes, strict=True))
    artifacts.save_table(
        "data/rank_sweep/study.csv", [outcome.measured | values for values, outcome in finished]
    )
    best: dict[tuple[str, bool], tuple[Values, Outcome]] = {}
    for values, outcome in finished:
        key = (values["contender"], values["published"])
        if key not in best or outcome.score > best[key][1].score:
            best[key] = (values, outcome)
    for (name, as_published), (values, outcome) in best.items():
        weights, curve = outcome.result
        model = trial.untrained(values)
        model.load_state_dict(weights, strict=False)
        folder = wide.folder(name, as_published)
        wide.save(folder, model)
        artifacts.save_table(folder / "curve.csv", curve)
        facts = {
            "learning_rate": values["learning_rate"],
            "trainable_parameters": models.trainable_parameters(model),
        }
        artifacts.save_json(folder / "facts.json", facts)


def cases(
    contenders: Sequence[str], rates: Callable[[str], Sequence[float]], published: bool = False
) -> list[Values]:
    """The values of a trial for every contender and each of its learning rates."""
    return [
        {"contender": name, "learning_rate": rate, "published": published}
        for name in contenders
        for rate in rates(name)
    ]
