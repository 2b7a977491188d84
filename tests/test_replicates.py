"""The summary of several seeds."""

from typing import Any

import numpy as np
import pytest
from scipy import stats

from pipeline import replicates


def test_interval_is_students() -> None:
    values = np.array([0.99, 0.991, 0.992, 0.9885, 0.993])
    ours = replicates.interval(values)
    low, high = stats.t.interval(0.95, 4, loc=values.mean(), scale=stats.sem(values))
    assert ours["n"] == 5
    assert ours["mean"] == pytest.approx((low + high) / 2)
    assert ours["ci95"] == pytest.approx((high - low) / 2)


def test_summary_has_every_number_and_nothing_else() -> None:
    results = [
        {"evaluate": {"lora": {"accuracy": value, "original_data": False, "ci": [0, 1]}}}
        for value in (0.5, 0.7)
    ]
    summary = replicates.summary(results)
    assert list(summary["evaluate"]["lora"]) == ["accuracy"]
    assert summary["evaluate"]["lora"]["accuracy"]["mean"] == pytest.approx(0.6)
    assert summary["evaluate"]["lora"]["accuracy"]["n"] == 2


def test_pictures_show_intervals() -> None:
    def result(value: float) -> dict[str, Any]:
        keys = ("accuracy", "accuracy_old", "accuracy_new", "trainable_parameters")
        figures: dict[str, Any] = dict.fromkeys(keys, value) | {"original_data": True}
        sweep = {"full": figures, "rank_1": figures, "rank_4": figures}
        return {
            "evaluate": {"base": figures, "replay": figures},
            "rank_sweep": {"base": figures, "published": sweep, **sweep},
            "transfer": {"label_efficiency": {"transfer": {"2": value, "10": value}}},
        }

    drawn = []
    for spread in (0.001, 0.01):
        results = [result(0.9), result(0.9 + spread)]
        drawn.append(replicates.pictures(replicates.summary(results), results[0]))
    assert list(drawn[0]) == ["methods", "rank_sweep", "label_efficiency"]
    for name, picture in drawn[0].items():
        assert picture.startswith(b"\x89PNG")
        assert picture != drawn[1][name]
