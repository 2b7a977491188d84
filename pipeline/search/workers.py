"""Trials on all cores of this machine, or on a Dask cluster."""

import math
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from pipeline.core import process
from pipeline.core.errors import DivergenceError, InputError
from pipeline.learning.compute import Compute
from pipeline.learning.validation import Score

if TYPE_CHECKING:
    from distributed import Client

PATIENCE = 5
"""Seconds that a scheduler has to answer."""

Values = dict[str, Any]
Run = Callable[[int, Values], "Outcome"]
"""A trial, from its number and its values."""
Submit = Callable[[int, Values], "Future[Outcome]"]


@dataclass(frozen=True)
class Outcome:
    """What became of a trial.

    Attributes:
        score: to be maximised; the study sees its first part, the second decides between equals.
        measured: figures for the study's table.
        result: whatever the best trial shall hand on; None of one that diverged.
    """

    score: Score
    measured: dict[str, float]
    result: Any


DIVERGED = Outcome((-1.0, -math.inf), {}, None)
"""Worse than any other."""


def run_all(run: Run, cases: Sequence[Values], compute: Compute, name: str) -> list[Outcome]:
    """Runs given trials on all cores, each on one thread.

    Args:
        run: one trial, from its number and its values; it must be picklable.
        cases: the values of every trial; the longest should come first.
        compute: how the workers compute, each on one thread.
        name: of the progress bar.

    Returns:
        The outcomes, in the order of the cases.
    """
    with workers(run, compute) as submit:
        futures = [submit(number, values) for number, values in enumerate(cases)]
        return [future.result() for future in tqdm(futures, desc=name, unit="trial", disable=None)]


@contextmanager
def workers(run: Run, compute: Compute) -> Iterator[Submit]:
    """Yields a function that submits a trial: to a Dask cluster, or to processes on this machine.

    Either way the data that `run` holds travel once per worker. A single worker is this process.
    """
    prepared = _Prepared(run, compute)
    if address := os.environ.get("DASK_SCHEDULER_ADDRESS"):
        with cluster(address) as client:
            [remote] = client.scatter([prepared], broadcast=True)
            pool = client.get_executor(pure=False)
            yield lambda number, values: pool.submit(_call, remote, number, values)
    elif process.workers() == 1:
        yield lambda number, values: _done(_call(prepared, number, values))
    else:
        # Workers are forks of a server that has imported what they need and computed nothing: they
        # share its memory, and a fork of a process whose threads have computed may hang.
        processes = get_context("forkserver")
        # Every optimiser loads the compiler: the server once, not every worker.
        processes.set_forkserver_preload([run.__module__, "torch._dynamo"])
        with ProcessPoolExecutor(process.workers(), processes, _remember, (prepared,)) as pool:
            yield lambda number, values: pool.submit(_call, None, number, values)


@contextmanager
def cluster(address: str) -> "Iterator[Client]":
    """Yields a client of a Dask cluster.

    Raises:
        InputError: if there is none, or it is lost.
    """
    import distributed  # an extra that few need

    try:
        client = distributed.Client(address, timeout=PATIENCE)
    except (OSError, ValueError) as error:
        problem = " ".join(str(error).split())[:160]
        raise InputError(f"DASK_SCHEDULER_ADDRESS is {address}: no scheduler: {problem}") from None
    try:
        with client:
            yield client
    except (CancelledError, OSError) as error:
        problem = " ".join(str(error).split())[:160] or "trials were cancelled"
        raise InputError(f"the Dask cluster at {address} is lost: {problem}") from None


def _done(outcome: Outcome) -> "Future[Outcome]":
    future: Future[Outcome] = Future()
    future.set_result(outcome)
    return future


@dataclass(frozen=True)
class _Prepared:
    run: Run
    compute: Compute


_remembered: _Prepared | None = None


def _remember(prepared: _Prepared) -> None:
    global _remembered
    process.end_with_parent()
    process.prepare()
    _remembered = prepared


def _call(given: _Prepared | None, number: int, values: Values) -> Outcome:
    prepared = given or _remembered
    assert prepared is not None
    prepared.compute.start(threads=1)
    try:
        return prepared.run(number, values)
    except DivergenceError:
        return DIVERGED
