"""The stages of the rank sweep, one after the other, on few images."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipeline.core import run
from pipeline.core.labelled import Labelled
from tests.project import SMALL, Project

STAGES = ("ranks_pretrain", "ranks_sweep", "ranks_evaluate")


def images(count: int, seed: int) -> Labelled:
    """Some of each digit from 0 to 9: noise around a pattern of its own."""
    labels = np.repeat(np.arange(10), count)
    patterns = np.random.default_rng(0).integers(256, size=(10, 1, 8, 8))
    noise = np.random.default_rng(seed).normal(scale=40, size=(len(labels), 1, 8, 8))
    inputs = (patterns[labels] + noise).clip(0, 255).astype(np.uint8)
    return Labelled(inputs, labels, [str(digit) for digit in range(10)], [])


@pytest.mark.parametrize(
    ("named", "swept"), [(None, [5, 6, 7, 8, 9]), ([7, 6], [7, 6]), ([5, 8, 9], [5, 8, 9])]
)
def test_base_is_adapted_to_the_classes_that_are_named(
    sources: Path, named: list[int] | None, swept: list[int]
) -> None:
    few: dict[str, Any] = {key: SMALL[key] for key in SMALL if key.startswith("ranks.sweep")}
    more = {"ranks.sweep.ranks": [2], "ranks.sweep.classes": named, "ranks.pretrain.epochs": 2}
    Project(sources).set(few | more)
    for seed, part in enumerate(("train", "validation", "test")):
        images(20, seed).save(f"data/ranks/images/{part}")
    assert [run.main([stage]) for stage in STAGES] == [0, 0, 0]
    figures = json.loads(Path("metrics/ranks.json").read_text())
    mistakes = pd.read_csv("plots/ranks/tables/mistakes.csv")
    of_full = mistakes[(mistakes["contender"] == "full") & ~mistakes["published"]]
    assert of_full["class"].tolist() == swept
    right = 1 - of_full["mistakes"].sum() / (20 * len(swept))
    assert figures["full"]["accuracy"] == pytest.approx(right, abs=1e-6)
    assert figures["rank_2"]["accuracy_old_off"] == figures["base"]["accuracy"]
