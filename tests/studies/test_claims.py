"""Claims: effects from runs, and what follows from them."""

from typing import Any

import pytest
from scipy import stats

from pipeline.new_class import claims as told
from pipeline.new_class import claims_figures
from pipeline.studies import claims, figures
from pipeline.studies.grid import Case, Claim, Definition

VALUES = ['"digits"', '"sign_language"']
AGAINST = "data.source"


def record(case: str, value: str, seed: int, accuracy: float, **more: Any) -> dict[str, Any]:
    methods = {"replay": {"accuracy": accuracy}, "joint": {"accuracy": accuracy - 0.01}}
    settings = {"data.source": value.strip('"'), "seed": seed, "split.seed": seed, "methods": []}
    return {"case": case, "settings": settings | more, "metrics": {"new_class": methods}}


USUAL = {'"digits"': [0.95, 0.97, 0.96], '"sign_language"': [0.91, 0.90, 0.92]}
OTHER = {'"digits"': [0.90, 0.93, 0.91], '"sign_language"': [0.91, 0.92, 0.90]}
RECORDS = [
    record(case, value, seed, accuracy, **more)
    for case, runs, more in (("usual", USUAL, {}), ("slow", OTHER, {"replay.epochs": 1}))
    for value, accuracies in runs.items()
    for seed, accuracy in enumerate(accuracies)
]
CASES = Claim(text="more", better=["usual", "replay.accuracy"], worse=["slow", "replay.accuracy"])
METHODS = Claim(
    text="good",
    better=["usual", "joint.accuracy"],
    worse=["usual", "replay.accuracy"],
    margin=1.5,
)


def definition(*made: Claim, **more: Any) -> Definition:
    vary = {AGAINST: ["digits", "sign_language"], "seed, split.seed": [0, 1, 2], **more}
    cases = {"usual": Case(), "slow": Case(set={"replay.epochs": 1})}
    return Definition(
        title="t", metrics=["new_class"], vary=vary, against=AGAINST, cases=cases, claims=[*made]
    )


def study(*made: Claim) -> dict[str, Any]:
    return {
        "against": AGAINST,
        "values": VALUES,
        "cells": {str(number): each for number, each in enumerate(RECORDS)},
        "claims": claims.effects(definition(*made), RECORDS),
        "summary": {},
    }


def test_effects_are_of_paired_runs() -> None:
    [found] = claims.effects(definition(CASES), RECORDS)
    for value in VALUES:
        pairs = stats.ttest_rel(USUAL[value], OTHER[value])
        low, high = pairs.confidence_interval(0.95)
        effect = found["effects"][value]
        assert effect["mean"] - effect["ci95"] == pytest.approx(low)
        assert effect["mean"] + effect["ci95"] == pytest.approx(high)
        assert effect["n"] == 3


def test_runs_without_a_counterpart_do_not_count() -> None:
    [found] = claims.effects(definition(CASES), RECORDS[:-1])
    assert [found["effects"][value]["n"] for value in VALUES] == [3, 2]
    [found] = claims.effects(definition(CASES), RECORDS[:9])
    assert list(found["effects"]) == VALUES[:1]


def test_runs_are_paired_by_all_that_varies_and_those_of_a_seed_count_as_one() -> None:
    few = [
        record(case, "digits", seed, accuracy + 0.01 * images, **{"split.new_images": images})
        for images in (3, 10)
        for case, accuracies in (("usual", [0.5, 0.6]), ("slow", [0.4, 0.6]))
        for seed, accuracy in enumerate(accuracies)
    ]
    [found] = claims.effects(definition(CASES, **{"split.new_images": [3, 10]}), few)
    effect = found["effects"][VALUES[0]]
    assert effect["n"] == 2
    assert effect["mean"] == pytest.approx(0.05)
    pairs = stats.ttest_1samp([0.1, 0.0], 0).confidence_interval(0.95)
    assert effect["mean"] + effect["ci95"] == pytest.approx(pairs.high)


def test_a_single_run_shows_nothing() -> None:
    [found] = claims.effects(definition(CASES), [RECORDS[0], RECORDS[6]])
    assert found["effects"][VALUES[0]]["n"] == 1
    assert told.verdict(found) == "not shown"
    content = study(CASES) | {"claims": [found]}
    assert told.table(content)[1][4:] == ["+5.00 ± 0.00", "", "not shown"]


def test_the_table_says_what_differs_and_what_follows() -> None:
    header, varied, methods = told.table(study(CASES, METHODS))
    assert header == ["claim", "claimed better", "worse", "of", "digits", "sign language", "it"]
    assert varied[1:4] == ["as usual", "`replay.epochs` 1", "replay: all classes"]
    assert varied[4:] == ["+4.67 ± 1.43", "+0.00 ± 4.97", "depends"]
    assert methods[1:4] == ["joint", "replay", "all classes"]
    assert methods[4:] == ["-1.00 ± 0.00", "-1.00 ± 0.00", "holds"]


def test_runs_of_a_case_that_varies_more_are_paired_each_with_its_own() -> None:
    made = definition(METHODS)
    vary: dict[str, list[Any]] = {AGAINST: ["digits"], "seed": [0, 1], "replay.epochs": [1, 2]}
    made.cases["usual"] = Case(vary=vary)
    accuracies = {(0, 1): 0.9, (0, 2): 0.7, (1, 1): 0.8, (1, 2): 0.6}
    records = [
        record("usual", '"digits"', seed, accuracy, **{"replay.epochs": epochs})
        for (seed, epochs), accuracy in accuracies.items()
    ]
    [found] = claims.effects(made, records)
    assert found["effects"]['"digits"']["n"] == 2
    assert found["effects"]['"digits"']["mean"] == pytest.approx(-0.01)


def test_order_in_which_parameters_vary_is_no_matter() -> None:
    made = definition(CASES)
    vary: dict[str, list[Any]] = {
        "seed, split.seed": [0, 1, 2],
        AGAINST: ["digits", "sign_language"],
    }
    made.cases["slow"] = Case(set=made.cases["slow"].set, vary=vary)
    assert claims.effects(made, RECORDS) == claims.effects(definition(CASES), RECORDS)


@pytest.mark.parametrize(
    ("halves", "margin", "said"),
    [
        ((0.01, 0.02), 0.0, "holds"),
        ((0.01, 0.03), 0.0, "depends"),
        ((0.03, 0.04), 0.0, "not shown"),
        ((0.03, 0.04), 1.6, "holds"),
    ],
)
def test_verdicts(halves: tuple[float, float], margin: float, said: str) -> None:
    effects = {
        value: {"mean": 0.025, "ci95": half, "n": 3}
        for value, half in zip(VALUES, halves, strict=True)
    }
    assert told.verdict({"effects": effects, "margin": margin}) == said


def test_the_picture_has_a_point_for_each_effect() -> None:
    content = study(CASES, METHODS)
    drawn = claims_figures.effects(content)
    assert [len(axis.containers) for axis in drawn.axes] == [2, 2]
    [mean] = drawn.axes[0].containers[0][0].get_xdata()
    assert mean == pytest.approx(14 / 3)
    assert set(figures.draw(content)) == {"effects"}
