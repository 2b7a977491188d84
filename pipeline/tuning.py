"""search(): the one hyper-parameter study."""

import os
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context, parent_process
from threading import Thread
from typing import TYPE_CHECKING, Any

from pydantic import model_validator
from tqdm import tqdm

from pipeline import startup
from pipeline.compute import Compute
from pipeline.params import Section
from pipeline.validation import Score

if TYPE_CHECKING:
    import optuna

BATCH = 8
"""Trials asked for at a time, so that the result doesn't depend on the number of workers."""

Values = dict[str, Any]


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
class Outcome:
    """What became of a trial.

    Attributes:
        score: to be maximised; the study sees its first part, the second decides between equals.
        measured: figures for the study's table.
        result: whatever the best trial shall hand on.
    """

    score: Score
    measured: dict[str, float]
    result: Any


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
    with progress, _workers(run, compute) as submit:
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
    assert best is not None
    return Study(best, rows)


def run_all(
    run: Callable[[int, Values], Outcome], cases: Sequence[Values], compute: Compute, name: str
) -> list[Outcome]:
    """Runs given trials on all cores, each on one thread.

    Args:
        run: one trial, from its number and its values; it must be picklable.
        cases: the values of every trial; the longest should come first.
        compute: how the workers compute, each on one thread.
        name: of the progress bar.

    Returns:
        The outcomes, in the order of the cases.
    """
    with _workers(run, compute) as submit:
        futures = [submit(number, values) for number, values in enumerate(cases)]
        return [future.result() for future in tqdm(futures, desc=name, unit="trial", disable=None)]


@contextmanager
def _workers(
    run: Callable[[int, Values], Outcome], compute: Compute
) -> Iterator[Callable[[int, Values], "Future[Outcome]"]]:
    """Yields a function that submits a trial: to a Dask cluster, or to processes on this machine.

    Either way the data that `run` holds travel once per worker.
    """
    prepared = _Prepared(run, compute)
    if address := os.environ.get("DASK_SCHEDULER_ADDRESS"):
        from distributed import Client  # an extra that few need

        with Client(address) as client:
            [there] = client.scatter([prepared], broadcast=True)
            pool = client.get_executor(pure=False)
            yield lambda number, values: pool.submit(_call, there, number, values)
    else:
        # Workers are forks of a server that has imported what they need and computed nothing: they
        # share its memory, and a fork of a process whose threads have computed may hang.
        processes = get_context("forkserver")
        processes.set_forkserver_preload([run.__module__])
        with ProcessPoolExecutor(
            worker_count(),
            processes,
            initializer=_remember,
            initargs=(prepared,),
        ) as pool:
            yield lambda number, values: pool.submit(_call, None, number, values)


def worker_count() -> int:
    """How many trials run at once: `RETAIN_WORKERS`, or the cores this process may use."""
    return int(os.environ.get("RETAIN_WORKERS", 0)) or len(os.sched_getaffinity(0))


@dataclass(frozen=True)
class _Prepared:
    run: Callable[[int, Values], Outcome]
    compute: Compute


_remembered: _Prepared | None = None


def _remember(prepared: _Prepared) -> None:
    global _remembered
    Thread(target=_end_with_parent, daemon=True).start()
    startup.prepare()
    _remembered = prepared


def _end_with_parent() -> None:
    """Ends this worker with the stage, which cannot do so itself if it is killed."""
    parent = parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _call(given: _Prepared | None, number: int, values: Values) -> Outcome:
    prepared = given or _remembered
    assert prepared is not None
    prepared.compute.start(threads=1)
    return prepared.run(number, values)
