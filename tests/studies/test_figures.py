"""Pictures of studies."""

import copy
import json
from collections.abc import Sequence
from typing import Any

import pytest

from pipeline.new_class import report
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


def few_images(spread: float) -> dict[str, Any]:
    """A study of two cases that are held against two numbers of images, two runs each."""
    cells: dict[str, Any] = {}
    summaries: dict[str, dict[str, Any]] = {}
    for case in ("from_scratch", "frozen"):
        summaries[case] = {}
        for count in (5, None):
            bases = [{"accuracy_old": 0.5 + s, "epochs_to_95": 2} for s in (0.0, spread)]
            metrics = [{"new_class": {"base": base}} for base in bases]
            summaries[case][json.dumps(count)] = summary(metrics)
            for number, each in enumerate(metrics):
                cells[f"{case}{count}{number}"] = {
                    "case": case,
                    "settings": {"split.old_images": count},
                    "seconds": {"pretrain": 10.0 + 2 * number},
                    "metrics": each,
                }
    return {
        "against": "split.old_images",
        "values": ["5", "null"],
        "cases": list(summaries),
        "cells": cells,
        "summary": summaries,
    }


def test_accuracy_against_images_is_drawn_and_told_with_intervals() -> None:
    one, other = few_images(0.1), few_images(0.2)
    assert list(figures.draw(one)) == ["few"]
    assert figures.draw(one)["few"] != figures.draw(other)["few"]
    assert report.few_images(one) == [
        ["images of each class", "5", "all"],
        *([name, "55.00 ± 63.53", "55.00 ± 63.53"] for name in ("from scratch", "frozen")),
    ]
    assert report.few_epochs(one)[1] == ["from scratch", "2.0 ± 0.0 (11)", "2.0 ± 0.0 (11)"]


def of_cases(runs: dict[str, Any]) -> dict[str, Any]:
    """A study with these metrics in two runs of every case."""
    return {
        "cases": list(runs),
        "cells": {case: {"case": case, "metrics": metrics} for case, metrics in runs.items()},
        "summary": {case: summary([metrics, metrics]) for case, metrics in runs.items()},
    }


@pytest.mark.parametrize("methods", [("replay", "lora"), ("replay", "lora", "joint", "reft")])
@pytest.mark.parametrize("lacking", ["first", "last"])
def test_cases_without_a_method_are_drawn_without_it(methods: Sequence[str], lacking: str) -> None:
    one = result(0.9, False)["new_class"]["base"]
    full = {
        case: {"new_class": dict.fromkeys(("base", *methods), one)} for case in ("first", "last")
    }
    runs = full | {lacking: {"new_class": dict.fromkeys(("base", *methods[:-1]), one)}}
    drawn = [figures.draw(of_cases(each)) for each in (runs, full)]
    assert list(drawn[0]) == ["cases"]
    assert drawn[0] != drawn[1]


@pytest.mark.parametrize("steps", [False, True])
def test_many_cases_of_few_methods_are_drawn_and_so_are_their_steps(steps: bool) -> None:
    one = result(0.9, False)["new_class"]
    if steps:
        one["replay"] = one["replay"] | {"accuracy_after": {"1": 0.9, "2": 0.8}}
    runs = {case: {"new_class": one} for case in ("tpe", "random", "grid")}
    assert list(figures.draw(of_cases(runs))) == (["after"] if steps else ["cases"])
