"""Adapts the wide network to the other classes: LoRA at several ranks against full fine-tuning."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
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
from pipeline.validation import Score, Validation


class Setting(Section):
    """How all contenders train but for their learning rates."""

    epochs: Count
    batch: Count
    optimizer: Literal["adam", "adamw", "sgd", "rmsprop"]
    schedule: Literal["constant", "one_cycle"]
    weight_decay: NotNegative
    dropout: float = Field(ge=0, lt=1)
    augmentation: Augmentation

    def recipe(self, learning_rate: float, epochs: int) -> Recipe:
        """A recipe of so many epochs, all of which are run."""
        return Recipe(
            batch=self.batch,
            optimizer=self.optimizer,
            schedule=self.schedule,
            weight_decay=self.weight_decay,
            epochs=epochs,
            learning_rate=learning_rate,
            label_smoothing=0.0,
            patience=epochs,
        )


class Published(Setting):
    learning_rate: Positive


class RankSweep(Section):
    """Each contender's learning rate is chosen after `study_epochs` with each of some.

    An update of rank r is scaled by `alpha` / r, or by `alpha` / √r if `stabilised` (arXiv
    2312.03732). `published` is how the original trained all contenders: its learning rate for all,
    updates scaled by the number of a layer's inputs.
    """

    ranks: list[Count] = Field(min_length=1)
    alpha: Positive
    stabilised: bool
    learning_rates: list[Positive] = Field(min_length=1)
    study_epochs: Count
    setting: Setting
    published: Published

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

    def __call__(self, number: int, values: Values) -> Outcome:
        """Trains `contender` for `epochs` at `learning_rate`, as `published` or not."""
        torch.manual_seed(derive(self.seed, "rank_sweep", values["contender"]))
        setting = self.sweep.published if values["published"] else self.sweep.setting
        scaling = partial(self.sweep.scaling, published=values["published"])
        model = wide.untrained(values["contender"], self.base, setting.dropout, scaling)
        curve = training.fit(
            model,
            self.images,
            self.labels,
            setting.recipe(values["learning_rate"], values["epochs"]),
            self.validation,
            augment=setting.augmentation,
        )
        measured = max(curve, key=self.validation.score)
        return Outcome(self.validation.score(measured), measured, (model, curve))


def main(seed: Seed, compute: Compute, rank_sweep: RankSweep) -> None:
    device = compute.start(threads=1)
    base = models.load("data/wide_base/model.safetensors").to(device)
    first = artifacts.load_json("data/wide_base/facts.json")["classes"]
    _, train = wide.halves(wide.training_data(), first)
    _, validation = wide.halves(Labelled.load("data/split/validation.safetensors"), first)
    watched = Validation.of(validation._replace(new=[]), "overall", device)
    trial = SweepTrial(seed, rank_sweep, base, *training.join(device, train), watched)

    contenders = wide.names(rank_sweep.ranks)
    studied = cases(contenders, rank_sweep.learning_rates, rank_sweep.study_epochs)
    outcomes = tuning.run_all(trial, studied, compute, "learning rates")
    best: dict[str, tuple[Score, float]] = {}
    for case, outcome in zip(studied, outcomes, strict=True):
        found = (outcome.score, case["learning_rate"])
        best[case["contender"]] = max(found, best.get(case["contender"], found))
    rows = [outcome.measured | case for case, outcome in zip(studied, outcomes, strict=True)]
    artifacts.save_table("data/rank_sweep/study.csv", rows)

    final = [
        case
        for name in contenders
        for case in cases([name], [best[name][1]], rank_sweep.setting.epochs)
    ]
    published = rank_sweep.published
    adapted = [name for name in contenders if name != "last_layer"]
    final += cases(adapted, [published.learning_rate], published.epochs, published=True)
    for case, outcome in zip(
        final, tuning.run_all(trial, final, compute, "rank_sweep"), strict=True
    ):
        model, curve = outcome.result
        folder = wide.folder(case["contender"], case["published"])
        wide.save(folder, model)
        artifacts.save_table(folder / "curve.csv", curve)
        facts = {
            "learning_rate": case["learning_rate"],
            "trainable_parameters": models.trainable_parameters(model),
        }
        artifacts.save_json(folder / "facts.json", facts)


def cases(
    contenders: Sequence[str], rates: Sequence[float], epochs: int, published: bool = False
) -> list[Values]:
    """The values of a trial for every contender and learning rate."""
    return [
        {"contender": name, "learning_rate": rate, "epochs": epochs, "published": published}
        for name, rate in product(contenders, rates)
    ]
