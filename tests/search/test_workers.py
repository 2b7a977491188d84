"""Trials on several workers."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from threading import Timer
from typing import Any

import psutil
import pytest
import torch

from pipeline.core import process
from pipeline.core.errors import DivergenceError, InputError
from pipeline.learning.compute import Compute
from pipeline.search import study, workers
from pipeline.search.samplers import Range
from pipeline.search.workers import Outcome
from tests.project import ROOT, until

COMPUTE = Compute(device="cpu", threads=2, reproducible=True)


def square(number: int, values: dict[str, Any]) -> Outcome:
    return Outcome((values["x"] ** 2, 0.0), {}, (number, os.getpid()))


def threads(number: int, values: dict[str, Any]) -> Outcome:
    """Scores by the threads that a trial has."""
    return Outcome((torch.get_num_threads(), 0.0), {}, None)


@pytest.mark.parametrize("reproducible", [True, False])
def test_trials_run_on_one_thread_each(reproducible: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETAIN_WORKERS", "1")
    compute = Compute(device="cpu", threads=2, reproducible=reproducible)
    [outcome] = workers.run_all(threads, [{}], compute, "threads")
    assert outcome.score[0] == 1


def test_given_trials_come_back_in_order_whatever_the_number_of_workers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for count in (1, 3):
        monkeypatch.setenv("RETAIN_WORKERS", str(count))
        assert process.workers() == count
        outcomes = workers.run_all(square, [{"x": x} for x in (4, 2, 0)], COMPUTE, "square")
        assert [outcome.score[0] for outcome in outcomes] == [16, 4, 0]
        assert [outcome.result[0] for outcome in outcomes] == [0, 1, 2]
        assert all((outcome.result[1] == os.getpid()) == (count == 1) for outcome in outcomes)


def half(number: int, values: dict[str, Any]) -> Outcome:
    """Every other trial diverges, or all above a limit."""
    if number % 2 or values["x"] > 1:
        raise DivergenceError("the loss is not finite any more")
    return Outcome((values["x"], 0.0), {"loss": 1.0}, number)


@pytest.mark.parametrize("count", [1, 2])
def test_trials_that_diverge_lose_and_are_counted(
    count: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RETAIN_WORKERS", str(count))
    found = study.search(half, {"x": Range(low=0.0, high=1.0)}, 10, 0, COMPUTE, "half")
    assert found.best.result % 2 == 0
    assert [row["score"] == -1 for row in found.rows] == [False, True] * 5
    assert "half: 5 of 10 trials diverged, and lost" in capsys.readouterr().err
    with pytest.raises(InputError, match="all 4 trials diverged"):
        study.search(half, {"x": Range(low=2.0, high=3.0)}, 4, 0, COMPUTE, "half")


def test_missing_scheduler_is_one_line_within_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "PATIENCE", 2)
    monkeypatch.setenv("DASK_SCHEDULER_ADDRESS", "tcp://127.0.0.1:9")
    start = time.monotonic()
    with pytest.raises(InputError, match=r"DASK_SCHEDULER_ADDRESS is tcp://127.0.0.1:9: no sche"):
        workers.run_all(square, [{"x": 1}], COMPUTE, "square")
    assert time.monotonic() - start < 10


def slow(number: int, values: dict[str, Any]) -> Outcome:
    time.sleep(0.5)
    return square(number, values)


@pytest.mark.slow
def test_scheduler_that_dies_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "scheduler.json"
    dask = (sys.executable, "-m", "distributed.cli.dask_scheduler")
    worker = (sys.executable, "-m", "distributed.cli.dask_worker")
    local = ("--host", "127.0.0.1", "--no-dashboard")
    with (
        subprocess.Popen([*dask, *local, "--port", "0", "--scheduler-file", file]) as scheduler,
        subprocess.Popen([*worker, "--scheduler-file", file, "--no-nanny", *local]) as other,
    ):
        try:
            until(file.exists)
            monkeypatch.setenv("DASK_SCHEDULER_ADDRESS", json.loads(file.read_text())["address"])
            Timer(4, scheduler.kill).start()
            with pytest.raises(InputError, match=r"the Dask cluster at tcp://127.* is lost"):
                workers.run_all(slow, [{"x": 1}] * 60, COMPUTE, "slow")
        finally:
            scheduler.kill()
            other.kill()


def asleep(number: int, values: dict[str, Any]) -> Outcome:
    """Says which process it runs in, and does not end."""
    Path(values["file"]).write_text(str(os.getpid()))
    time.sleep(600)
    raise AssertionError


@pytest.mark.slow
def test_no_worker_outlives_a_killed_stage(tmp_path: Path) -> None:
    file = tmp_path / "worker"
    program = (
        "from tests.search import test_workers as t;"
        f"t.workers.run_all(t.asleep, [{{'file': {str(file)!r}}}], t.COMPUTE, 'asleep')"
    )
    with subprocess.Popen([sys.executable, "-c", program], cwd=ROOT) as stage:
        until(lambda: file.exists() and file.read_text() != "")
        worker = psutil.Process(int(file.read_text()))
        stage.kill()
    until(lambda: not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE)
