"""What is reported of the rank sweep."""

import json
from typing import Any

import pandas as pd
import pytest

from pipeline.ranks import comparison
from tests.project import Project


@pytest.fixture
def figures(finished: Project) -> dict[str, Any]:
    metrics: dict[str, Any] = json.loads((finished.folder / "metrics/ranks.json").read_text())
    return metrics


def test_old_task_is_untouched_without_the_adapter(figures: dict[str, Any]) -> None:
    contenders = {"full", "last_layer", "rank_1", "rank_4"}
    assert set(figures) == contenders | {"base", "published"}
    assert set(figures["published"]) == contenders - {"last_layer"}
    before = figures["base"]["accuracy"]
    for name in contenders:
        figure = figures[name]
        assert figure["forgetting"] == pytest.approx(before - figure["accuracy_old"], abs=2e-6)
        assert figure["stored_bytes"] > 4 * figure["trainable_parameters"]
        assert figure.get("accuracy_old_off", before) == before
        assert ("accuracy_old_off" in figure) == name.startswith("rank_")
    assert figures["full"]["trainable_parameters"] == 2_797_005


def test_mistakes_of_the_classes_are_those_of_the_accuracy(
    figures: dict[str, Any], finished: Project
) -> None:
    table = pd.read_csv(finished.folder / "plots/ranks/tables/mistakes.csv")
    rates = {
        name: counts["mistakes"].sum() / (1 - figures[str(name)]["accuracy"])
        for name, counts in table[~table["published"]].groupby("contender")
    }
    assert table["class"].unique().tolist() == [5, 6, 7, 8, 9]
    assert list(rates.values()) == pytest.approx([149] * 4, abs=0.01)


def test_table_goes_by_setting_and_rank(figures: dict[str, Any]) -> None:
    rows = comparison.table(figures)
    assert [(row["setting"], row["contender"]) for row in rows] == [
        ("tuned", "full"),
        ("tuned", "last_layer"),
        ("tuned", "rank_1"),
        ("tuned", "rank_4"),
        ("published", "full"),
        ("published", "rank_1"),
        ("published", "rank_4"),
    ]
