"""The hyper-parameter study."""

from typing import Any

import pytest

from pipeline.learning.compute import Compute
from pipeline.search import study
from pipeline.search.study import Range, Study
from pipeline.search.workers import Outcome

COMPUTE = Compute(device="cpu", threads=2, reproducible=True)
SPACE = {"x": Range(low=-5.0, high=5.0), "n": Range(low=1, high=8)}


def bowl(number: int, values: dict[str, Any]) -> Outcome:
    """Highest at x = 2, n = 3."""
    score = -((values["x"] - 2) ** 2) - abs(values["n"] - 3)
    return Outcome((score, 0.0), {"loss": -score}, number)


def search(workers: int, monkeypatch: pytest.MonkeyPatch) -> Study:
    monkeypatch.setenv("RETAIN_WORKERS", str(workers))
    return study.search(bowl, SPACE, 40, 0, COMPUTE, "bowl")


def test_study_finds_the_top_whatever_the_number_of_workers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one, two, four = (search(workers, monkeypatch) for workers in (1, 2, 4))
    assert one.rows == two.rows == four.rows
    assert len(one.rows) == 40
    assert [row["trial"] for row in one.rows] == list(range(40))
    best = max(one.rows, key=lambda row: row["score"])
    assert one.best.score[0] == best["score"] > -0.5
    assert one.best.result == four.best.result == best["trial"]


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
