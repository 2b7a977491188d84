"""`python -m pipeline choose`: its words, its answers and its refusals."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pipeline.app import choose
from pipeline.core.errors import InputError
from pipeline.new_class import choice
from pipeline.scoring.names import title
from tests.project import ROOT, Project

CASES = ("mnist", "digits", "sign_language", "cifar10")
CONTRADICTION = "--old statistics --kept 100kB --forgetting 0.3"


@pytest.fixture(autouse=True)
def _in_the_project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


def asked(*words: str) -> tuple[int, str, str]:
    """The exit code of a real process, and what it printed on stdout and stderr."""
    command = [sys.executable, "-m", "pipeline", "choose", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def cells(printed: str) -> list[dict[str, str]]:
    """The rows of the printed table."""
    lines = [line for line in printed.splitlines() if line.startswith("|")]
    header, _, *rows = ([cell.strip() for cell in line.split("|")[1:-1]] for line in lines)
    return [dict(zip(header, row, strict=True)) for row in rows]


def test_figures_are_those_of_the_study() -> None:
    code, printed, problem = asked("--old", "statistics", "--kept", "1MB", "--parameters", "6000")
    assert (code, problem) == (0, "")
    study = json.loads(choice.STUDY.read_text())
    by_title = {title(name): name for name in study["summary"]["mnist"]["new_class"]}
    rows = cells(printed)
    assert len(rows) > 3
    for row in rows:
        assert int(row["kept, kB"].replace(",", "")) <= 1000
        assert int(row["trained parameters"].replace(",", "")) <= 6000
        for case in CASES:
            figure = study["summary"][case]["new_class"][by_title[row["method"]]]
            shown = [float(value) for value in re.split(" ± | / ", row[case])]
            expected = [figure["accuracy"]["mean"], figure["accuracy"]["ci95"]]
            expected.append(figure["forgetting"]["mean"])
            assert shown == pytest.approx([100 * value for value in expected], abs=0.0051)
    for case, seeds in zip(CASES, (5, 5, 5, 3), strict=True):
        assert f"{case} {seeds}" in printed
    assert str(choice.STUDY) in printed


@pytest.mark.parametrize(
    "words",
    [
        CONTRADICTION,
        "--old none --forgetting 0.3",
        "--old 19 --forgetting 0.1 --kept 1MB",
        "--old none --forgetting 0.3 --parameters 2000",
        "--old statistics --forgetting 0",
        "--old all --parameters 10",
        "--old none --kept 0B --forgetting 0.2 --parameters 100",
    ],
)
def test_a_contradiction_says_what_would_have_to_give_and_that_does(
    words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(InputError) as refused:
        choose.main(words.split())
    assert capsys.readouterr().out == ""
    [line] = str(refused.value).splitlines()
    for way in line.removeprefix("nothing fits; ").split(", or "):
        [name] = re.findall(r".* instead of \S+ (.+) would$", way)
        changed = words
        for option, value, old in re.findall(r"(--\w+) (\S+) instead of (\S+)", way):
            assert f"{option} {old}" in words
            changed = changed.replace(f"{option} {old}", f"{option} {value}")
        choose.main(changed.split())
        assert name in [row["method"] for row in cells(capsys.readouterr().out)]


def test_a_contradiction_is_one_line_and_exit_code_2() -> None:
    code, printed, problem = asked(*CONTRADICTION.split())
    assert (code, printed) == (2, "")
    [line] = problem.splitlines()
    assert line.startswith("choose: nothing fits; with --kept ")
    shown = (ROOT / "pipeline/app/README.md").read_text()
    assert f"$ python -m pipeline choose {CONTRADICTION}\n{line}\n" in shown


@pytest.mark.parametrize("file", ["README.md", "pipeline/app/README.md"])
def test_the_question_that_texts_show_is_the_one_whose_answer_they_show(file: str) -> None:
    assert f"python -m pipeline choose {choose.EXAMPLE}" in (ROOT / file).read_text()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("", "the following arguments are required: --old"),
        ("--old some", "argument --old: found 'some'; none, statistics, all"),
        ("--old 0", "argument --old: found '0'"),
        ("--old -3", "argument --old: found '-3'"),
        ("--old 2.5", "argument --old: found '2.5'"),
        ("--old all --kept 1", "argument --kept: '1' is no size; one like 900kB or 1.5MB accepted"),
        ("--old all --kept -1kB", "argument --kept: expected one argument"),
        ("--old all --kept=-1kB", "argument --kept: '-1kB' is no size"),
        ("--old all --kept 1MiB", "argument --kept: '1MiB' is no size"),
        ("--old all --kept nanMB", "argument --kept: 'nanMB' is no size"),
        ("--old all --forgetting nan", "argument --forgetting: 'nan' are no percentage points"),
        ("--old all --forgetting -1", "argument --forgetting: '-1' are no percentage points"),
        ("--old all --forgetting little", "argument --forgetting: invalid number value: 'little'"),
        ("--old all --parameters 1e3", "argument --parameters: '1e3' is no number of parameters"),
        ("--old all --parameters -1", "argument --parameters: '-1' is no number of parameters"),
        ("--old all --best", "unrecognized arguments: --best"),
    ],
)
def test_bad_words_are_refused_in_a_line(words: str, message: str) -> None:
    with pytest.raises(InputError) as refused:
        choose.main(words.split())
    [line] = str(refused.value).splitlines()
    assert line.startswith(message)


@pytest.mark.parametrize(
    ("text", "size"),
    [("1MB", 10**6), ("900kB", 900_000), ("0B", 0), ("0.29 mb", 290_000), ("2GB", 2 * 10**9)],
)
def test_sizes_are_in_powers_of_1000(text: str, size: int) -> None:
    assert choose.asked(["--old", "all", "--kept", text]).kept == size


def test_a_budget_that_was_set_since_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for file in ("params.yaml", "dvc.yaml", choice.STUDY):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, tmp_path / file)
    monkeypatch.chdir(tmp_path)
    Project(tmp_path).set({"dark_replay.budget": 2, "icarl.budget": 50})
    listed = {}
    for old in ("2", "19", "20"):
        choose.main(["--old", old])
        listed[old] = {row["method"] for row in cells(capsys.readouterr().out)}
    few = {title("dark_replay"), title("icarl")}
    assert not few & (listed["2"] | listed["19"])
    assert few <= listed["20"]


def test_without_figures_there_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copyfile("params.yaml", tmp_path / "params.yaml")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=r"metrics/studies/elsewhere.json: not found"):
        choose.main(["--old", "all"])
    choice.STUDY.parent.mkdir(parents=True)
    runs = {"b": {"case": "a", "settings": {}, "metrics": {"new_class": {"base": {}}}}}
    unfinished: list[dict[str, Any]] = [
        {"cases": [], "cells": {}, "summary": {}},
        {"cases": ["a"], "cells": runs, "summary": {"a": {"new_class": {"base": {}}}}},
    ]
    for content in unfinished:
        choice.STUDY.write_text(json.dumps(content))
        with pytest.raises(InputError, match=r"elsewhere.json: has no method; `make studies`"):
            choose.main(["--old", "all"])
