"""search(): a study of hyper-parameters by Optuna."""

import sys
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import model_validator
from tqdm import tqdm

from pipeline.core.errors import InputError
from pipeline.core.params import Section
from pipeline.learning.compute import Compute
from pipeline.search.workers import DIVERGED, Outcome, Values, workers

if TYPE_CHECKING:
    import optuna

BATCH = 8
"""Trials asked for at a time, so that the result doesn't depend on the number of workers."""


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


@dataclass(frozen=True)
class Study:
    """The best trial's outcome, and a row per trial."""

    best: Outcome
    rows: list[dict[str, Any]]


def search(
    run: Callable[[int, Values], Outcome],
    space: Mapping[str, Range],
    trials: int,
    seed: int,
    compute: Compute,
    name: str,
) -> Study:
    """Looks for the values with the best score by Optuna's TPE sampler.

    Trials run in batches on all cores, each on one thread; equal arguments give an equal study,
    however many workers there are.

    Args:
        run: one trial, from its number and its values; it must be picklable.
        space: what to choose from.
        trials: how many.
        seed: of the sampler.
        compute: how the workers compute, each on one thread.
        name: of the progress bar.

    Raises:
        InputError: if all trials diverged.
    """
    import optuna  # slow to load, and no worker needs it

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        sampler = optuna.samplers.TPESampler(
            seed=seed % 2**32, multivariate=True, constant_liar=True
        )
    study = optuna.create_study(direction="maximize", sampler=sampler)
    rows: list[dict[str, Any]] = []
    best: Outcome | None = None
    progress = tqdm(total=trials, desc=name, unit="trial", disable=None)
    with progress, workers(run, compute) as submit:
        while len(rows) < trials:
            batch = [study.ask() for _ in range(min(BATCH, trials - len(rows)))]
            values = [
                {key: scope.suggest(trial, key) for key, scope in space.items()} for trial in batch
            ]
            futures = [
                submit(trial.number, chosen) for trial, chosen in zip(batch, values, strict=True)
            ]
            for trial, chosen, future in zip(batch, values, futures, strict=True):
                outcome: Outcome = future.result()
                study.tell(trial, outcome.score[0])
                rows.append(
                    {"trial": trial.number, **chosen, "score": outcome.score[0]} | outcome.measured
                )
                if best is None or outcome.score > best.score:
                    best = outcome
                progress.set_postfix(best=f"{best.score[0]:.4f}")
                progress.update()
    diverged = sum(row["score"] == DIVERGED.score[0] for row in rows)
    if best is None or best.result is None:
        raise InputError(f"all {trials} trials diverged; lower learning rates may help")
    if diverged:
        print(f"{name}: {diverged} of {trials} trials diverged, and lost", file=sys.stderr)
    return Study(best, rows)
