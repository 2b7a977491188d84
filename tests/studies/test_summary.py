"""Means and intervals."""

import numpy as np
import pytest
from scipy import stats

from pipeline.studies.summary import interval, rows, summary


def test_interval_is_students() -> None:
    values = np.array([0.99, 0.991, 0.992, 0.9885, 0.993])
    ours = interval(values)
    low, high = stats.t.interval(0.95, 4, loc=values.mean(), scale=stats.sem(values))
    assert ours["n"] == 5
    assert ours["mean"] == pytest.approx((low + high) / 2)
    assert ours["ci95"] == pytest.approx((high - low) / 2)


def test_summary_has_every_number_and_nothing_else() -> None:
    results = [
        {"methods": {"lora": {"accuracy": value, "original_data": "none", "ci": [0, 1]}}}
        for value in (0.5, 0.7)
    ]
    found = summary(results)
    assert list(found["methods"]["lora"]) == ["accuracy"]
    assert found["methods"]["lora"]["accuracy"]["mean"] == pytest.approx(0.6)
    assert found["methods"]["lora"]["accuracy"]["n"] == 2


def test_rows_have_every_mean_of_every_case_and_value() -> None:
    figure = {"mean": 0.5, "ci95": 0.1, "n": 2}
    means = {
        "new_class": {"lora": {"accuracy": figure}},
        "shapes": {"few": {"frozen": {"2": figure}}},
    }
    plain = rows({"summary": {"mnist": means}})
    assert plain[0] == {
        "case": "mnist", "question": "new_class", "name": "lora", "figure": "accuracy", **figure
    }  # fmt: skip
    assert [row["figure"] for row in plain] == ["accuracy", "frozen.2"]
    against = rows({"against": "split.draw", "summary": {"mnist": {"3": means, "null": means}}})
    assert [row["split.draw"] for row in against] == ["3", "3", "null", "null"]
