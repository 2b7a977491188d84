"""Pictures of studies."""

import copy
from typing import Any

import pytest

from pipeline.studies import figures
from pipeline.studies.summary import summary


def result(value: float, published: bool) -> dict[str, Any]:
    keys = ("accuracy", "accuracy_old", "accuracy_new", "trainable_parameters")
    one: dict[str, Any] = dict.fromkeys(keys, value) | {"original_data": "training", "rank": 0}
    sweep = {"full": one, "rank_1": one | {"rank": 1}, "rank_4": one | {"rank": 4}}
    return {
        "new_class": {"base": one, "replay": one},
        "ranks": {"base": one, "published": sweep if published else {}, **sweep},
        "shapes": {"few_labels": {"frozen": {"2": value, "10": value}}},
    }


@pytest.mark.parametrize("published", [True, False])
def test_pictures_show_intervals(published: bool) -> None:
    drawn = []
    for spread in (0.001, 0.01):
        results = [result(0.9, published), result(0.9 + spread, published)]
        cells = {
            str(n): {"case": "default", "metrics": copy.deepcopy(r)} for n, r in enumerate(results)
        }
        study = {"cases": ["default"], "cells": cells, "summary": {"default": summary(results)}}
        drawn.append(figures.draw(study))
    assert list(drawn[0]) == ["new_class", "ranks", "shapes"]
    for name, picture in drawn[0].items():
        assert picture != drawn[1][name]
