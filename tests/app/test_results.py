"""The tables for people, and the texts that show them."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.app import results
from pipeline.core import artifacts, dag, params
from pipeline.core.errors import InputError
from pipeline.ranks import report as ranks
from pipeline.scoring.tables import fill
from pipeline.shapes import report as shapes
from pipeline.studies import checkout, definitions, grid, parts
from pipeline.studies.grid import Cell
from pipeline.studies.summary import summary
from tests.project import ROOT, Project

OTHER = ["any_class", "budgets", "claims", "several", "steps", "trunk"]
"""Studies that have no cell of the default run."""
TEXTS = [ROOT / "README.md", *ROOT.glob("pipeline/*/README.md")]


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.parent.name)
def test_texts_say_what_the_metrics_say(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    text = path.read_text()
    assert fill(text, results.replicated()) == text, "`make readme` brings it up to date"


@pytest.mark.parametrize("path", sorted(ROOT.glob("metrics/studies/*.json")), ids=lambda p: p.stem)
def test_a_study_holds_the_default_run_as_one_of_its_cells(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    content = json.loads(path.read_text())
    defaults = [cell for cell in grid.cells(definitions.load(path.stem)) if _default(cell)]
    assert defaults or path.stem in OTHER
    for cell in defaults:
        for name, metrics in content["cells"][cell.name]["metrics"].items():
            # What is committed: a run here, on a processor of another maker, may differ.
            expected = json.loads(checkout.git(ROOT, "show", f"HEAD:metrics/{name}.json"))
            assert metrics == {key: expected[key] for key in metrics}, name
            assert len(metrics) == len(expected) or "methods" in cell.settings


def _default(cell: Cell) -> bool:
    """Whether a cell changes nothing, but for the methods that are compared."""
    return grid.parameters(cell) | {"methods": []} == params.read() | {"methods": []}


@pytest.mark.parametrize("path", sorted(ROOT.glob("metrics/studies/*.json")), ids=lambda p: p.stem)
def test_table_of_a_study_has_its_means(path: Path) -> None:
    content = json.loads(path.read_text())
    table = artifacts.load_table(path.with_suffix(".csv"))
    expected = dict(leaves(content["summary"]))
    keys = ["case", *([content["against"]] if "against" in content else []), "question", "name"]
    found = {
        (*map(str, row[:-4]), *([] if not row[-4] else str(row[-4]).split(".")), kind): value
        for row in table[[*keys, "figure", "mean", "ci95", "n"]].fillna("").itertuples(index=False)
        for kind, value in zip(("mean", "ci95", "n"), row[-3:], strict=True)
    }
    assert found == expected


@pytest.mark.parametrize("path", sorted(ROOT.glob("metrics/studies/*.json")), ids=lambda p: p.stem)
def test_a_study_is_what_its_definition_says_and_sums_up_what_its_cells_hold(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    content = json.loads(path.read_text())
    definition = definitions.load(path.stem)
    planned = {cell.name: cell for cell in grid.cells(definition)}
    assert set(content["cells"]) == set(planned)
    results: dict[tuple[str, ...], list[Any]] = {}
    stages = dag.stages()
    for name, cell in planned.items():
        prints = parts.fingerprints(definition, cell, stages)
        assert content["cells"][name]["parameters"] == prints
        value = [grid.text(cell.settings[definition.against])] if definition.against else []
        results.setdefault((cell.case, *value), []).append(content["cells"][name]["metrics"])
    expected = {
        (*key, *place): figure
        for key, metrics in results.items()
        for place, figure in leaves(summary(metrics))
    }
    found = dict(leaves(content["summary"]))
    assert found.keys() == expected.keys()
    for place, figure in found.items():
        assert figure == pytest.approx(expected[place], abs=1e-6)


def leaves(tree: dict[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[Any, float]]:
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from leaves(value, (*path, key))
        else:
            yield (*path, key), value


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


@pytest.mark.parametrize("lock", ["schema: '2.0'\n", ""])
def test_a_lock_of_no_stage_tells_of_no_run(
    lock: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("dvc.lock").write_text(lock)
    assert results.described("shapes") == "of a run that dvc.lock does not tell of"
    cell = {"data": {"data/shapes/images/test": "b"}}
    artifacts.save_json(results.REPLICATES, {"cells": {"one": cell}})
    assert not results.alike("shapes")


def test_a_lock_of_another_shape_is_refused_in_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for content, message in (
        ("[1]", r"it is \[1\]; a mapping accepted"),
        ("stages: [a]", r"stages is \['a'\]; a mapping accepted"),
        ("stages: {a: }", "stages.a is None; a mapping accepted"),
    ):
        Path("dvc.lock").write_text(content)
        with pytest.raises(InputError, match=f"^dvc.lock: {message}$"):
            results.described("shapes")


def test_a_text_that_is_not_in_utf_8_is_refused_in_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    text = tmp_path / "text.md"
    text.write_bytes("<!-- choose -->\né".encode("latin-1"))
    with pytest.raises(InputError, match=r"text\.md: byte 17 is not of a text in UTF-8"):
        results.main([str(text)])
    assert text.read_bytes().endswith(b"\xe9")


def test_replicates_are_told_from_those_of_other_images(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert results.alike("shapes")
    cell = {"data": {"data/images/test": "a", "data/shapes/images/test": "b"}}
    artifacts.save_json(results.REPLICATES, {"cells": {"one": cell}})
    lock = "stages: {download: {outs: [{path: data/images/test, md5: MD5}]}}"
    for md5, same in (("a", True), ("c", False)):
        Path("dvc.lock").write_text(lock.replace("MD5", md5))
        assert results.alike("new_class") == same
    assert not results.alike("shapes")
