"""The tables for people."""

import json
import re
from pathlib import Path

import pytest

from pipeline import report
from tests.project import ROOT

README = (ROOT / "README.md").read_text()


def test_readme_says_what_the_metrics_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert report.fill(README) == README, "`make readme` brings it up to date"


def test_every_method_is_in_the_readme() -> None:
    figures = json.loads((ROOT / "metrics/evaluate.json").read_text())
    for figure in figures.values():
        assert f"{100 * figure['accuracy']:.2f}" in README
        assert f"{figure['trainable_parameters']:,}" in README


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
