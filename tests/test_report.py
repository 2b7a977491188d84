"""The tables for people."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from bench import beside, growth
from pipeline import figures, report, timings
from tests.project import ROOT

README = (ROOT / "README.md").read_text()
REPLICATES: dict[str, Any] = json.loads((ROOT / "metrics/replicates.json").read_text())
BENCH: dict[str, Any] = json.loads((ROOT / "metrics/bench.json").read_text())


def test_readme_says_what_the_metrics_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert report.fill(README) == README, "`make readme` brings it up to date"


def test_every_method_is_in_the_readme() -> None:
    for figure in REPLICATES["evaluate"].values():
        assert f"{100 * figure['accuracy']['mean']:.2f}" in README
        assert f"{figure['trainable_parameters']['mean']:,.0f}" in README


def test_what_the_readme_says_in_words_holds() -> None:
    assert "mean of five seeds" in " ".join(README.split())
    assert set(counts(REPLICATES)) == {5}
    methods = {
        name: {key: value["mean"] for key, value in figure.items() if "mean" in value}
        for name, figure in REPLICATES["evaluate"].items()
    }
    assert methods["replay"]["forgetting"] < 0.0005, "nothing is forgotten"
    lora, sequential = methods["lora"], methods["sequential"]
    share = sequential["trainable_parameters"] / lora["trainable_parameters"]
    assert 75 < share < 85, "an eightieth of the parameters"
    assert sequential["trainable_parameters"] == 91_658
    without = ("sequential", "lora", "analytic", "gaussian_replay", "gaussian_lora")
    kept, accuracy = (
        {name: methods[name][key] for name in without} for key in ("kept_bytes", "accuracy")
    )
    assert max(kept, key=lambda name: kept[name]) == "analytic", "it keeps more"
    assert max(accuracy, key=lambda name: accuracy[name]) == "analytic", "comes closest to replay"
    sweep = REPLICATES["rank_sweep"]
    new = {
        name: figure["accuracy"]["mean"] for name, figure in sweep.items() if "accuracy" in figure
    }
    ranks = {name: accuracy for name, accuracy in new.items() if name.startswith("rank_")}
    assert new["full"] > max(ranks.values()), "ahead of every rank"
    assert new["rank_2"] > new["last_layer"], "rank 2 is ahead of a new last layer"
    same = {name: figure["accuracy"]["mean"] for name, figure in sweep["published"].items()}
    assert min(same, key=lambda name: same[name]) == "full", "comes last"
    shapes = REPLICATES["transfer"]
    for score, exposed in shapes["both"]["unknown"].items():
        plain = shapes["both_plain"]["unknown"][score]
        assert exposed["auroc"]["mean"] > plain["auroc"]["mean"], "too sure of itself for any"
    exposed, plain = (shapes[key]["accuracy"]["mean"] for key in ("both", "both_plain"))
    assert exposed < plain, "it costs some accuracy"
    for name, figure in sweep.items():
        if name.startswith("rank_"):
            assert figure["accuracy_old_off"]["mean"] == sweep["base"]["accuracy"]["mean"], (
                "with the adapter off, the network is the old one"
            )


def counts(tree: dict[str, Any]) -> Iterator[int]:
    """All `n` of the replicates."""
    for key, value in tree.items():
        if key == "n":
            yield value
        elif isinstance(value, dict):
            yield from counts(value)


def test_commands_of_the_readme_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.M))
    named = set(re.findall(r"\bmake ([a-z]+)\b", README))
    assert named
    assert named <= targets


def test_files_of_the_readme_exist() -> None:
    for link in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / link).exists(), link


def test_filled_part_is_replaced_and_the_rest_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    path = tmp_path / "x.md"
    path.write_text("before\n<!-- transfer -->\nold\n<!-- end transfer -->\nafter\n")
    report.main([str(path)])
    lines = path.read_text().splitlines()
    assert lines[0] == "before"
    assert lines[-1] == "after"
    assert "old" not in lines
    assert lines[2].startswith("| shapes")


def test_labels_that_a_contender_needs_and_saves() -> None:
    one = {"accuracy": 0.9, "f1_macro": 0.9, "loss": 0.1}
    names = ("transfer", "scratch", "random", "fine_tuned")
    needed = {"transfer": 3.0, "scratch": 90.0, "random": None, "fine_tuned": 5.0}
    single: dict[str, Any] = dict.fromkeys(names, one) | {"labels_for_95": needed}
    several = {"transfer": 4.0, "scratch": 100.0}
    rows = report.transfer({"transfer": single | {"labels_for_95": several}}, {"transfer": single})
    cells = dict(zip(names, (row[-2:] for row in rows[1:]), strict=True))
    assert cells == {
        "transfer": ["4", "96"],
        "scratch": ["100", "0"],
        "random": ["not reached", ""],
        "fine_tuned": ["not in every run", ""],
    }


def test_ranks_without_the_published_setting() -> None:
    figure = {"accuracy": 0.98, "accuracy_old": 0.4, "trainable_parameters": 6789}
    fact = {"base": {}, "published": {}, "rank_1": figure | {"stored_bytes": 28000}}
    [header, row] = report.ranks({"rank_sweep": {"rank_1": figure}}, {"rank_sweep": fact})
    cells = dict(zip(header, row, strict=True))
    assert cells["new digits, %"] == "98.00"
    assert cells["one rate for all: new, %"] == ""


def test_times_that_the_readme_puts_in_words() -> None:
    assert "of three runs" in README
    assert {part["machine"]["runs"] for part in BENCH.values()} == {3}
    assert BENCH["sweep"]["products"]["ours"] > BENCH["sweep"]["ours"]["median"] / 2, "most of it"


def test_epochs_that_the_readme_puts_in_words() -> None:
    ours = yaml.safe_load((ROOT / "params.yaml").read_text())
    words = " ".join(README.split())
    wide, sweep = ours["wide_pretrain"]["epochs"], ours["rank_sweep"]["setting"]["epochs"]
    assert f"{wide} epochs of pretraining and {sweep} of adapting" in words
    assert f"original has {beside.BASE_EPOCHS} and {beside.SWEEP_EPOCHS}" in words
    assert f"replay {ours['replay']['epochs']} instead of {beside.REPLAY_EPOCHS}" in words
    for study in ("sequential", "lora"):
        epochs = ours[study]["search"]["epochs"]
        assert f"a trial has {epochs['low']} to {epochs['high']}" in words
        assert f"batches of {ours[study]['batch']}, the original's" in words
    assert f"of which we count {beside.TRIAL_EPOCHS}" in words


def test_growth_is_shown_beside_each_stage() -> None:
    usages = BENCH["whole"]["stages"]

    def grown(sizes: tuple[float, ...], usage: dict[str, float]) -> dict[str, Any]:
        points = {
            str(size): usage | {"seconds": usage["seconds"] * (size / sizes[-1]) ** 0.5}
            for size in sizes
        }
        return growth.with_exponent(points)

    data = {
        name: grown((*growth.SHARES, 1.0), usage)
        for name, usage in usages.items()
        if name != "download"
    }
    measured = {
        "data": data,
        "ranks": grown(beside.RANKS, usages["lora"]),
        "trials": grown(growth.TRIALS, usages["lora"]),
    }
    table = timings.tables(BENCH | {"growth": measured | {"machine": BENCH["whole"]["machine"]}})
    rows = {row[0]: row[1:] for row in table["stages"][1:]}
    assert set(rows) == {name.replace("_", " ") for name in usages}
    assert next(iter(rows)) == "rank sweep", "the longest first"
    assert {row[-1] for name, row in rows.items() if name != "download"} == {"0.50"}
    assert figures.png(growth.draw(measured)).startswith(b"\x89PNG")
