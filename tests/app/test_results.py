"""The tables for people, and the texts that show them."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from pipeline.app import results
from pipeline.ranks import report as ranks
from pipeline.scoring.tables import fill
from pipeline.shapes import report as shapes
from tests.project import ROOT, Project

TEXTS = [ROOT / "README.md", *ROOT.glob("pipeline/*/README.md")]


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.parent.name)
def test_texts_say_what_the_metrics_say(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    text = path.read_text()
    assert fill(text, results.replicated()) == text, "`make readme` brings it up to date"


@pytest.mark.parametrize("study", ["replicates", "elsewhere"])
def test_a_study_holds_the_default_run_as_one_of_its_cells(study: str) -> None:
    content = json.loads((ROOT / f"metrics/studies/{study}.json").read_text())
    cell = next(iter(content["cells"].values()))
    for name, metrics in cell["metrics"].items():
        assert metrics == json.loads((ROOT / f"metrics/{name}.json").read_text()), name


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.parent.name)
def test_commands_and_files_of_the_texts_exist(path: Path) -> None:
    text = path.read_text()
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.M))
    assert set(re.findall(r"\bmake ([a-z]+)\b", text)) <= targets
    for link in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (path.parent / link).exists(), link


def test_last_run_is_printed_with_the_data_that_it_belongs_to(project: Project) -> None:
    printed = project.pipeline("results")
    assert "new class (digits, new: 0)" in printed
    assert "ranks (digits)" in printed
    assert "shapes (drawn, 64×64 pixels)" in printed
    project.set({"split.new_classes": [3]})
    printed = project.pipeline("results")
    assert "new class (digits, new: 0; older than params.yaml, where split has changed)" in printed
    assert "ranks (digits)\n" in printed


def test_labels_that_a_contender_needs_and_saves() -> None:
    one = {"accuracy": 0.9, "f1_macro": 0.9, "loss": 0.1}
    names = ("frozen", "scratch", "random", "fine_tuned")
    needed = {"frozen": 3.0, "scratch": 90.0, "random": None, "fine_tuned": 5.0}
    single: dict[str, Any] = dict.fromkeys(names, one) | {"labels_for_95": needed}
    several = {"frozen": 4.0, "scratch": 100.0}
    rows = shapes.transfer(single | {"labels_for_95": several}, single)
    cells = dict(zip(names, (row[-2:] for row in rows[1:]), strict=True))
    assert cells == {
        "frozen": ["4", "96"],
        "scratch": ["100", "0"],
        "random": ["not reached", ""],
        "fine_tuned": ["not in every run", ""],
    }


def test_ranks_without_the_published_setting() -> None:
    figure = {"accuracy": 0.98, "accuracy_old": 0.4, "trainable_parameters": 6789}
    facts = {"base": {}, "published": {}, "rank_1": figure | {"stored_bytes": 28000}}
    [header, row] = ranks.ranks({"rank_1": figure}, facts)
    cells = dict(zip(header, row, strict=True))
    assert cells["new classes, %"] == "98.00"
    assert cells["one rate for all: new, %"] == ""
