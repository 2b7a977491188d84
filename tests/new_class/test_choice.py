"""Which methods fit, by the committed study."""

import json
from collections.abc import Mapping
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from pipeline.core import params
from pipeline.new_class import choice, results
from pipeline.new_class.choice import Kind, Limits, Measured, Old
from tests.project import ROOT

OLD: tuple[Old, ...] = ("none", "statistics", 5, 20, 1000, "all")
KEPT = (0, 50_000, 500_000, 1_000_000, None)
FORGETTING = (0.0, 0.15, 0.3, 5.0, None)
PARAMETERS = (100, 2_000, 29_000, 100_000, None)  # analytic trains 30,000 in some runs, not in all
QUESTIONS = [Limits(*limits) for limits in product(OLD, KEPT, FORGETTING, PARAMETERS)]


@pytest.fixture(scope="module")
def study() -> Any:
    return json.loads((ROOT / choice.STUDY).read_text())


@pytest.fixture
def methods(study: Any, monkeypatch: pytest.MonkeyPatch) -> list[Measured]:
    monkeypatch.chdir(ROOT)
    return choice.measured(study)


def names(methods: list[Measured], limits: Limits) -> list[str]:
    return [method.name for method in choice.fitting(methods, limits)]


def test_what_is_listed_keeps_the_limits_in_every_run_and_what_is_not_does_not(
    study: Any, methods: list[Measured]
) -> None:
    figures = study["summary"]["mnist"]["new_class"]
    cells = [cell for cell in study["cells"].values() if cell["case"] == "mnist"]
    runs = [cell["metrics"]["new_class"] for cell in cells]
    assert {method.name for method in methods} == figures.keys() - {"base"}
    for limits in QUESTIONS:
        found = names(methods, limits)
        for method in methods:
            facts = [run[method.name] for run in runs]
            keeps = [choice.suffices(limits.old, method.needs.old)]
            if limits.kept is not None:
                keeps.append(all(fact["kept_bytes"] <= limits.kept for fact in facts))
            if limits.parameters is not None:
                keeps.append(
                    all(fact["trainable_parameters"] <= limits.parameters for fact in facts)
                )
            if limits.forgetting is not None:
                forgotten = figures[method.name]["forgetting"]["mean"]
                keeps.append(100 * forgotten <= limits.forgetting)
            assert (method.name in found) == all(keeps), (method, limits)


def test_the_most_accurate_on_the_first_set_are_first(study: Any, methods: list[Measured]) -> None:
    figures = study["summary"]["mnist"]["new_class"]
    for limits in QUESTIONS:
        accuracy = [figures[name]["accuracy"]["mean"] for name in names(methods, limits)]
        assert accuracy == sorted(accuracy, reverse=True)


def test_a_limit_only_narrows(methods: list[Measured]) -> None:
    for limits in QUESTIONS:
        found = set(names(methods, limits))
        wider: list[Mapping[str, Any]] = [{"kept": None}, {"forgetting": None}]
        wider += [{"parameters": None}, {"old": "all"}]
        if isinstance(limits.old, int):
            wider.append({"old": limits.old + 1})
        elif limits.old == "none":
            wider += [{"old": "statistics"}, {"old": 1}]
        for change in wider:
            assert found <= set(names(methods, limits._replace(**change))), (limits, change)


def test_what_a_method_needs_is_what_its_stage_reads(methods: list[Measured]) -> None:
    stages = params.parsed(Path("dvc.yaml"))["stages"]
    sections = params.read()
    for method in methods:
        reads = stages[method.name]["deps"]
        if method.needs.old in ("none", "statistics"):
            from_old = any(name.startswith(("data/statistics", "data/fisher")) for name in reads)
            assert (method.needs.old == "statistics") == from_old
            assert not set(results.USES["training"]) & set(reads)
        else:
            assert set(results.USES["training"]) & set(reads)
            budget = sections[method.name].get("budget")
            assert method.needs.old == ("all" if budget is None else budget)


def test_a_method_loses_where_the_interval_of_another_lies_above(
    study: Any, methods: list[Measured]
) -> None:
    for limits in (Limits("all"), Limits("statistics"), Limits(20), Limits("none")):
        found = choice.fitting(methods, limits)
        assert len(found) > 1
        for method in found:
            for case in ("mnist", "digits", "sign_language", "cifar10"):
                figures = study["summary"][case]["new_class"]
                low = [
                    figures[other.name]["accuracy"]["mean"]
                    - figures[other.name]["accuracy"]["ci95"]
                    for other in found
                ]
                own = figures[method.name]["accuracy"]
                loses = max(low) > own["mean"] + own["ci95"]
                assert loses == (case in method.loses(found)), (method.name, case)


def test_a_limit_that_gives_as_far_as_is_said_lets_that_method_in_and_not_less_far(
    methods: list[Measured],
) -> None:
    contradictions = [limits for limits in QUESTIONS if not names(methods, limits)]
    assert len(contradictions) > 50
    several = 0
    for limits in contradictions:
        ways = choice.in_the_way(methods, limits)
        assert ways
        for given, method in ways.items():
            needs = method.needs._asdict()
            relaxed = limits._replace(**{name: needs[name] for name in given})
            assert method.name in names(methods, relaxed)
            several += len(given) > 1
            for name in {*given} - {"old"}:
                less = needs[name] - (1e-9 if name == "forgetting" else 1)
                assert len(given) > 1 or not names(methods, limits._replace(**{name: less}))
        # Whichever limit alone is in the way is among them.
        free: dict[str, Any] = {"old": "all", "kept": None, "forgetting": None, "parameters": None}
        alone = {(name,) for name in free if names(methods, limits._replace(**{name: free[name]}))}
        assert alone == {given for given in ways if len(given) == 1}
    assert several


@pytest.mark.parametrize(
    ("left", "least"), [("none", "statistics"), ("statistics", 20), (10, 20), (10, "statistics")]
)
def test_statistics_are_less_than_few_images_and_few_less_than_many(left: Old, least: Old) -> None:
    needs: list[Old] = ["all", 50, 20]
    if least == "statistics":
        needs.append("statistics")
    methods = [Measured(str(old), Limits(old, 0, 0.0, 0), {}, {}) for old in needs]
    assert choice.in_the_way(methods, Limits(left))[("old",)].needs.old == least


@pytest.mark.parametrize(
    ("left", "sufficient"),
    [
        ("none", {"none"}),
        ("statistics", {"none", "statistics"}),
        (19, {"none"}),
        (20, {"none", 20}),
        ("all", {"none", "statistics", 20, "all"}),
    ],
)
def test_what_suffices(left: Old, sufficient: set[Old]) -> None:
    needed: tuple[Old, ...] = ("none", "statistics", 20, "all")
    assert {each for each in needed if choice.suffices(left, each)} == sufficient


@pytest.mark.parametrize(
    ("use", "kept", "kind"),
    [
        ("none", 0, "nothing"),
        ("none", 900, "statistics"),
        ("training", 1000, "images"),
        ("training", 20, "few images"),
        ("validation", 0, "images"),  # which it has chosen on
    ],
)
def test_kinds_of_what_is_kept(use: str, kept: int, kind: Kind) -> None:
    fact = {"original_data": use, "kept_bytes": kept}
    most = {"original_data": "training", "kept_bytes": 1000}
    assert choice.kept(fact, {"joint": most, "one": fact}) == kind


def test_a_budget_that_was_set_since_makes_no_few_of_the_images_that_were_kept() -> None:
    assert choice.needed("images", 20) == "all"
    assert choice.needed("few images", None) == "all"
    assert choice.needed("few images", 20) == 20


def test_a_budget_is_the_most_that_a_run_has_set() -> None:
    settings: list[dict[str, Any]] = [
        {"icarl.budget": 5, "replay.budget": None},
        {"icarl.budget": 20, "seed": 40},
        {},
    ]
    cells = {str(place): {"settings": each} for place, each in enumerate(settings)}
    assert choice.budgets({"cells": cells}) == {"icarl": 20}
