"""The hyper-parameter study."""

from collections.abc import Callable
from itertools import product
from typing import Any

import optuna
import pytest

from pipeline.learning.compute import Compute
from pipeline.search import study
from pipeline.search.rungs import Pruner
from pipeline.search.samplers import Range, Sampler
from pipeline.search.study import Study
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


@pytest.mark.slow
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


@pytest.mark.slow
def test_dask_cluster_gives_the_same_study(monkeypatch: pytest.MonkeyPatch) -> None:
    distributed = pytest.importorskip("distributed")
    here = search(1, monkeypatch)
    with distributed.LocalCluster(2, threads_per_worker=1, dashboard_address=None) as cluster:
        monkeypatch.setenv("DASK_SCHEDULER_ADDRESS", cluster.scheduler_address)
        there = search(1, monkeypatch)
    assert there.rows == here.rows


def run(
    trial: Callable[[int, dict[str, Any]], Outcome],
    space: dict[str, Range],
    trials: int,
    sampler: Sampler = "tpe",
    pruner: Pruner = "none",
) -> Study:
    return study.search(trial, space, trials, 0, COMPUTE, "test", sampler, pruner)


def test_random_values_are_those_of_optuna() -> None:
    rows = run(bowl, SPACE, 11, "random").rows
    other = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    for row in rows:
        trial = other.ask()
        assert row["x"] == trial.suggest_float("x", -5.0, 5.0)
        assert row["n"] == trial.suggest_int("n", 1, 8)


def test_a_grid_is_tried_as_a_whole_in_random_order() -> None:
    rows = run(bowl, SPACE, 21, "grid").rows
    points = [(row["x"], row["n"]) for row in rows]
    assert sorted(points) == list(product([-5.0, -2.5, 0.0, 2.5, 5.0], [1, 3, 6, 8]))
    assert points != sorted(points)
    assert points == [(row["x"], row["n"]) for row in run(bowl, SPACE, 21, "grid").rows]


def climbing(number: int, values: dict[str, Any]) -> Outcome:
    """Better with more epochs, and the nearer `x` is to 2."""
    score = -abs(values["x"] - 2) - 1 / values["epochs"]
    return Outcome((score, 0.0), {"epochs run": values["epochs"]}, (number, values["epochs"]))


LONG = {"x": Range(low=-5.0, high=5.0), "epochs": Range(low=9, high=9)}


@pytest.mark.parametrize("workers", [1, 3])
def test_hyperband_goes_on_with_the_best_third(
    workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RETAIN_WORKERS", str(workers))
    found = run(climbing, LONG, 17, "random", "hyperband")
    rows = found.rows
    assert [row["trial"] for row in rows] == list(range(17))
    # The brackets of Hyperband's table: 9 from a ninth of the epochs, 5 from a third, 3 with all.
    deep, shallow, whole = rows[:9], rows[9:14], rows[14:]
    assert sorted(row["epochs"] for row in deep) == [1] * 6 + [3] * 2 + [9]
    assert sorted(row["epochs"] for row in shallow) == [3] * 3 + [9] * 2
    assert [row["epochs"] for row in whole] == [9] * 3
    for bracket in (deep, shallow):
        ended = [row for row in bracket if row["epochs"] < 9]
        gone_on = [row for row in bracket if row["epochs"] == 9]
        assert max(abs(row["x"] - 2) for row in gone_on) <= min(abs(row["x"] - 2) for row in ended)
    best = max(rows, key=lambda row: row["score"])
    assert found.best.result == (best["trial"], 9)


def test_a_trial_that_has_had_all_its_epochs_is_not_run_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("RETAIN_WORKERS", "1")
    calls: list[int] = []

    def counted(number: int, values: dict[str, Any]) -> Outcome:
        calls.append(number)
        return climbing(number, values)

    short = LONG | {"epochs": Range(low=1, high=1)}
    rows = run(counted, short, 17, pruner="hyperband").rows
    assert calls == list(range(17))
    assert {row["epochs"] for row in rows} == {1}


def test_hyperband_ends_at_the_number_of_trials() -> None:
    assert len(run(climbing, LONG, 11, pruner="hyperband").rows) == 11


@pytest.mark.parametrize("range_", [{"low": 2, "high": 1}, {"low": 0, "high": 1, "log": True}])
def test_impossible_ranges_are_refused(range_: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="low ≤ high accepted"):
        Range.model_validate(range_)


@pytest.mark.parametrize(
    ("range_", "count", "expected"),
    [
        ({"low": 1e-4, "high": 1e-2, "log": True}, 3, [1e-4, 1e-3, 1e-2]),
        ({"low": 1, "high": 100, "log": True}, 3, [1, 10, 100]),
        ({"low": 1, "high": 2}, 5, [1, 2]),
        ({"low": 0.0, "high": 1.0}, 1, [0.5]),
    ],
)
def test_a_grid_is_even_on_its_scale(
    range_: dict[str, Any], count: int, expected: list[float]
) -> None:
    values = Range.model_validate(range_).spaced(count)
    assert values == pytest.approx(expected)
    assert [type(value) for value in values] == [type(value) for value in expected]
