"""The hyper-parameter study."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch

from pipeline import tuning
from pipeline.compute import Compute
from pipeline.errors import InputError
from pipeline.tuning import Outcome, Range
from tests.project import ROOT

COMPUTE = Compute(device="cpu", threads=2, reproducible=True)
SPACE = {"x": Range(low=-5.0, high=5.0), "n": Range(low=1, high=8)}


def bowl(number: int, values: dict[str, Any]) -> Outcome:
    """Highest at x = 2, n = 3."""
    score = -((values["x"] - 2) ** 2) - abs(values["n"] - 3)
    return Outcome((score, 0.0), {"loss": -score}, {"number": number, "worker": os.getpid()})


def search(workers: int, monkeypatch: pytest.MonkeyPatch) -> tuning.Study:
    monkeypatch.setenv("RETAIN_WORKERS", str(workers))
    return tuning.search(bowl, SPACE, 40, 0, COMPUTE, "bowl")


def test_study_finds_the_top_whatever_the_number_of_workers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one, two, four = (search(workers, monkeypatch) for workers in (1, 2, 4))
    assert one.rows == two.rows == four.rows
    assert len(one.rows) == 40
    assert [row["trial"] for row in one.rows] == list(range(40))
    best = max(one.rows, key=lambda row: row["score"])
    assert one.best.score[0] == best["score"] > -0.5
    assert one.best.result["number"] == four.best.result["number"] == best["trial"]


def threads(number: int, values: dict[str, Any]) -> Outcome:
    """Scores by the threads that a trial has."""
    return Outcome((torch.get_num_threads(), 0.0), {}, None)


@pytest.mark.parametrize("reproducible", [True, False])
def test_trials_run_on_one_thread_each(reproducible: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETAIN_WORKERS", "1")
    compute = Compute(device="cpu", threads=2, reproducible=reproducible)
    [outcome] = tuning.run_all(threads, [{}], compute, "threads")
    assert outcome.score[0] == 1


def test_given_trials_come_back_in_order_whatever_the_number_of_workers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cases = [{"x": float(x), "n": 3} for x in (4, 2, 0)]
    for workers in (1, 3):
        monkeypatch.setenv("RETAIN_WORKERS", str(workers))
        outcomes = tuning.run_all(bowl, cases, COMPUTE, "bowl")
        assert [outcome.score[0] for outcome in outcomes] == [-4.0, 0.0, -4.0]
        assert [outcome.result["number"] for outcome in outcomes] == [0, 1, 2]


def test_dask_cluster_gives_the_same_study(monkeypatch: pytest.MonkeyPatch) -> None:
    distributed = pytest.importorskip("distributed")
    here = search(1, monkeypatch)
    with distributed.LocalCluster(2, threads_per_worker=1, dashboard_address=None) as cluster:
        monkeypatch.setenv("DASK_SCHEDULER_ADDRESS", cluster.scheduler_address)
        there = search(1, monkeypatch)
    assert there.rows == here.rows


@pytest.mark.parametrize("range_", [{"low": 2, "high": 1}, {"low": 0, "high": 1, "log": True}])
def test_impossible_ranges_are_refused(range_: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="low ≤ high accepted"):
        Range.model_validate(range_)


def test_missing_gpu_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(InputError, match=r"compute\.device is cuda, but PyTorch finds no GPU"):
        Compute(device="cuda", threads=1, reproducible=True).start()


def test_auto_takes_a_gpu_only_where_bits_need_not_repeat(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    for reproducible, device in ((False, "cuda"), (True, "cpu")):
        chosen = Compute(device="auto", threads=1, reproducible=reproducible).start()
        assert chosen.type == device


def asleep(number: int, values: dict[str, Any]) -> Outcome:
    """Says which process it runs in, and does not end."""
    Path(values["file"]).write_text(str(os.getpid()))
    time.sleep(600)
    raise AssertionError


def test_no_worker_outlives_a_killed_stage(tmp_path: Path) -> None:
    file = tmp_path / "worker"
    program = (
        "from tests import test_tuning as t;"
        f"t.tuning.run_all(t.asleep, [{{'file': {str(file)!r}}}], t.COMPUTE, 'asleep')"
    )
    with subprocess.Popen([sys.executable, "-c", program], cwd=ROOT) as stage:
        until(lambda: file.exists() and file.read_text() != "")
        worker = psutil.Process(int(file.read_text()))
        stage.kill()
    until(lambda: not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE)


def until(condition: Callable[[], bool]) -> None:
    """Waits a minute at most."""
    for _ in range(600):
        if condition():
            return
        time.sleep(0.1)
    raise TimeoutError
