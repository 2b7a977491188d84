"""How a study comes to the values that it tries."""

import itertools
import random
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import model_validator

from pipeline.core.params import Section

if TYPE_CHECKING:
    import optuna

Sampler = Literal["tpe", "random", "grid"]


class Range(Section):
    """What a study chooses from: whole numbers if both ends are, else fractions too."""

    low: int | float
    high: int | float
    log: bool = False

    @model_validator(mode="after")
    def _ordered(self) -> "Range":
        if self.low > self.high or (self.log and self.low <= 0):
            raise ValueError("low ≤ high accepted, and 0 < low on a logarithmic scale")
        return self

    def suggest(self, trial: "optuna.Trial", name: str) -> int | float:
        """Asks the study for a value."""
        if isinstance(self.low, int) and isinstance(self.high, int):
            return trial.suggest_int(name, self.low, self.high, log=self.log)
        return trial.suggest_float(name, self.low, self.high, log=self.log)

    def spaced(self, count: int) -> list[int | float]:
        """At most so many values from end to end, evenly spaced on its scale; one: the middle."""
        spaced = np.geomspace if self.log else np.linspace
        values = spaced(self.low, self.high, count if count > 1 else 3).tolist()
        chosen = values if count > 1 else values[1:2]
        if isinstance(self.low, int) and isinstance(self.high, int):
            return sorted({round(value) for value in chosen})
        return list(chosen)


Space = Mapping[str, Range]


def start(sampler: Sampler, space: Space, trials: int, seed: int) -> "tuple[optuna.Study, int]":
    """Starts a study, whose scores are to be maximised.

    Args:
        sampler: Optuna's TPE or random sampler; or a grid, in random order.
        space: what to choose from.
        trials: how many there may be.
        seed: of the sampler.

    Returns:
        The study, and how many trials it will have: of a grid there may be fewer.
    """
    import optuna  # slow to load, and no worker needs it

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    chosen: optuna.samplers.BaseSampler = optuna.samplers.RandomSampler(seed=seed % 2**32)
    if sampler == "tpe":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            chosen = optuna.samplers.TPESampler(
                seed=seed % 2**32, multivariate=True, constant_liar=True
            )
    study = optuna.create_study(direction="maximize", sampler=chosen)
    if sampler != "grid":
        return study, trials
    points = grid(space, trials)
    random.Random(seed).shuffle(points)
    for point in points:
        study.enqueue_trial(point)
    return study, len(points)


def grid(space: Space, trials: int) -> list[dict[str, int | float]]:
    """The finest grid of at most so many points; the first axes may have one value more."""
    counts = dict.fromkeys(space, max(1, int(trials ** (1 / len(space)) + 1e-9)))
    for name in space:
        more = counts | {name: counts[name] + 1}
        if np.prod(list(more.values())) <= trials:
            counts = more
    axes = [scope.spaced(counts[name]) for name, scope in space.items()]
    return [dict(zip(space, values, strict=True)) for values in itertools.product(*axes)]
