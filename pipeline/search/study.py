"""search(): a study of hyper-parameters by Optuna."""

import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tqdm import tqdm

from pipeline.core.errors import InputError
from pipeline.learning.compute import Compute
from pipeline.search import rungs, samplers
from pipeline.search.rungs import Pruner
from pipeline.search.samplers import Sampler, Space
from pipeline.search.workers import DIVERGED, Outcome, Submit, Values, workers

BATCH = 8
"""Trials asked for at a time, so that the result doesn't depend on the number of workers."""
BUDGET = "epochs"
"""The value of which a trial that is looked at early has had a share only."""


@dataclass(frozen=True)
class Study:
    """The best trial's outcome, and a row per trial."""

    best: Outcome
    rows: list[dict[str, Any]]


def search(
    run: Callable[[int, Values], Outcome],
    space: Space,
    trials: int,
    seed: int,
    compute: Compute,
    name: str,
    sampler: Sampler = "tpe",
    pruner: Pruner = "none",
) -> Study:
    """Looks for the values with the best score.

    Trials run in batches on all cores, each on one thread; equal arguments give an equal study,
    however many workers there are.

    Args:
        run: one trial, from its number and its values; it must be picklable.
        space: what to choose from; where trials are ended early, among it the `epochs`.
        trials: how many (of a grid, at most).
        seed: of the sampler.
        compute: how the workers compute, each on one thread.
        name: of the progress bar.
        sampler: how the values are found.
        pruner: whether trials are ended early; a row then tells of the epochs that it had.

    Raises:
        InputError: if all trials diverged.
    """
    from optuna.trial import TrialState  # slow to load, and no worker needs it

    study, trials = samplers.start(sampler, space, trials, seed)
    rows: list[dict[str, Any]] = []
    best: Outcome | None = None
    progress = tqdm(total=trials, desc=name, unit="trial", disable=None)
    with progress, workers(run, compute) as submit:
        for count, shares in rungs.brackets(pruner, BATCH):
            batch = [study.ask() for _ in range(min(count, trials - len(rows)))]
            values = [
                {key: scope.suggest(trial, key) for key, scope in space.items()} for trial in batch
            ]
            numbers = [trial.number for trial in batch]
            for trial, chosen, outcome in zip(
                batch, *_climbed(submit, numbers, values, shares), strict=True
            ):
                if chosen == trial.params:
                    study.tell(trial, outcome.score[0])
                else:
                    trial.report(outcome.score[0], chosen[BUDGET])
                    study.tell(trial, state=TrialState.PRUNED)
                rows.append(
                    {"trial": trial.number, **chosen, "score": outcome.score[0]} | outcome.measured
                )
                if best is None or outcome.score > best.score:
                    best = outcome
                progress.set_postfix(best=f"{best.score[0]:.4f}")
                progress.update()
            if len(rows) == trials:
                break
    diverged = sum(row["score"] == DIVERGED.score[0] for row in rows)
    if best is None or best.result is None:
        raise InputError(f"all {trials} trials diverged; lower learning rates may help")
    if diverged:
        print(f"{name}: {diverged} of {trials} trials diverged, and lost", file=sys.stderr)
    return Study(best, rows)


def _climbed(
    submit: Submit, numbers: Sequence[int], values: Sequence[Values], shares: Sequence[float]
) -> tuple[list[Values], list[Outcome]]:
    """Runs trials for a share of their epochs, the best of them for the next share, and so on.

    Returns:
        The values that each was run with last, and what came of it.
    """
    last: list[Values] = [{} for _ in values]
    outcomes: list[Outcome] = [DIVERGED for _ in values]
    places = list(range(len(values)))
    for rung, share in enumerate(shares):
        if rung:
            scores = [outcomes[place].score for place in places]
            places = [places[chosen] for chosen in rungs.best(scores)]
        given = [
            values[place]
            | ({} if share == 1 else {BUDGET: math.ceil(values[place][BUDGET] * share)})
            for place in places
        ]
        # A trial that has had all these epochs already would come to the same.
        left = [
            (place, content)
            for place, content in zip(places, given, strict=True)
            if content != last[place]
        ]
        left.sort(key=lambda trial: trial[1].get(BUDGET, 0), reverse=True)  # so that no core waits
        futures = [submit(numbers[place], content) for place, content in left]
        for (place, content), future in zip(left, futures, strict=True):
            last[place], outcomes[place] = content, future.result()
    return last, outcomes
