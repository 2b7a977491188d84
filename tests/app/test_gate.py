"""`python -m pipeline gate`: what it counts, and when it refuses."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binomtest

from pipeline.app import gate, layout
from pipeline.app.gate import Change
from pipeline.app.models import Predictor
from pipeline.core.labelled import Labelled
from pipeline.new_class.evaluation import answers
from pipeline.new_class.evaluation.answers import Answers
from tests.app.conftest import Command
from tests.project import Project

Row = dict[str, str]


def table(printed: str) -> dict[str, Row]:
    """The rows of the printed table, by their classes; the last column is the second error."""
    lines = [line for line in printed.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]
    return {row[0]: dict(zip(cells[0], row, strict=True)) for row in cells[2:]}


def test_counts_are_those_of_the_metrics(run: Project, command: Command) -> None:
    _, printed, _ = command("gate", "--from", "base", "--to", "lora")
    rows, metrics = table(printed), run.json("metrics/new_class.json")
    test = Labelled.load("data/images/test")
    old = int((test.labels != 0).sum())
    assert rows["old classes"]["images"] == f"{old:,}"
    flips = int(rows["old classes"]["negative flips"])
    assert flips / old == pytest.approx(metrics["lora"]["negative_flips"], abs=1e-6)
    of_class = [int(rows[str(digit)]["negative flips"]) for digit in range(1, 10)]
    assert sum(of_class) == flips
    assert rows["0 (new)"]["before, %"] == "0.00"
    for column, method in (("before, %", "base"), ("after, %", "lora")):
        shown = float(rows["all classes"][column])
        assert shown == pytest.approx(100 * metrics[method]["accuracy"], abs=0.005)
    for column, method in (("calibration error before", "base"), ("after", "lora")):
        shown = float(rows["all classes"][column])
        assert shown == pytest.approx(metrics[method]["calibration_error"], abs=1e-4)


def test_p_value_is_the_binomial_test_of_the_flips(run: Project, command: Command) -> None:
    _, printed, _ = command("gate", "--from", "lora", "--to", "replay")
    row = table(printed)["all classes"]
    one, other = int(row["negative flips"]), int(row["positive flips"])
    expected = binomtest(one, one + other).pvalue if one + other else 1.0
    assert float(row["McNemar's p"]) == pytest.approx(expected, rel=0.05)


def change() -> Change:
    actual = np.repeat([0, 1, 2], 10)
    before, after = actual.copy(), actual.copy()
    before[20:] = 0  # the new class
    after[:1] = 1
    after[10:13] = 2
    sure = np.full(30, 0.9)
    one, other = (Answers(actual, each, sure, ["a", "b", "c"], [2]) for each in (before, after))
    return Change(one, other, actual != 2)


def test_worst_class_and_flips_of_each() -> None:
    rows = {row[0]: row for row in change().table()}
    assert rows["a"][1:6] == ["10", "100.00", "90.00", "1", "0"]
    assert rows["b"][1:6] == ["10", "100.00", "70.00", "3", "0"]
    assert rows["c (new)"][1:6] == ["10", "0.00", "100.00", "0", "10"]
    assert rows["old classes"][1:6] == ["20", "100.00", "80.00", "4", "0"]
    assert rows["old classes"][6:] == ["0.12", "0.1000", "0.1000"]
    assert change().worst() == "worst class: b, 100.00 % before, 70.00 % after"


def test_a_limit_that_is_passed_is_told_by_the_exit_code(run: Project, command: Command) -> None:
    words = ("gate", "--from", "base", "--to", "lora")
    [old], [lora] = (answers.load(name) for name in ("base", "lora"))
    is_old = old.actual != 0
    right = lora.predicted == lora.actual
    flips = float(((old.predicted == old.actual) & ~right)[is_old].mean())
    accuracy = float(right[is_old].mean())
    assert 0 < flips < 1
    for limits, code in (
        (("--flips", flips), 0),
        (("--flips", flips - 1e-6), 1),
        (("--flips", 1, "--old", accuracy), 0),
        (("--flips", 1, "--old", accuracy + 1e-6), 1),
        (("--flips", 0, "--old", accuracy), 1),
    ):
        found, printed, _ = command(*words, *map(str, limits))
        assert found == code, limits
        assert table(printed)
        assert ("refused" in printed) == bool(code)
    assert command("gate", "--from", "base", "--to", "base", "--flips", "0")[0] == 0


def test_folders_and_labelled_pictures(
    run: Project, command: Command, pictures: Path, tmp_path: Path
) -> None:
    for method in ("base", "lora"):
        layout.save(tmp_path / method, Predictor.load(method))
    words = ("gate", "--from", tmp_path / "base", "--to", tmp_path / "lora", "--flips", "1")
    code, printed, _ = command(*words, "--images", pictures)
    assert code == 0
    rows = table(printed)
    test = Labelled.load("data/images/test")
    chosen = np.array(sorted(int(file.stem) for file in pictures.rglob("*.png")))
    [before], [after] = (answers.load(name) for name in ("base", "lora"))
    for column, given in (("before, %", before), ("after, %", after)):
        hits = (given.predicted == test.labels)[chosen]
        assert rows["all classes"][column] == f"{100 * hits.mean():.2f}"
    assert rows["old classes"]["images"] == "90"
    assert command(*words[:2], "base", "--to", "lora", "--images", pictures, "--flips", "1")[1] == (
        printed
    )


def test_classes_go_by_their_names(
    run: Project, command: Command, pictures: Path, tmp_path: Path
) -> None:
    layout.save(tmp_path / "one", Predictor.load("lora"))
    layout.save(tmp_path / "other", Predictor.load("lora"))
    config = json.loads((tmp_path / "other/config.json").read_text())
    names = config["retain"]["card"]["classes"]
    names[3], names[5] = names[5], names[3]
    (tmp_path / "other/config.json").write_text(json.dumps(config))
    words = ("gate", "--from", tmp_path / "one", "--to", tmp_path / "other", "--images", pictures)
    rows = table(command(*words)[1])
    assert float(rows["3"]["after, %"]) < float(rows["3"]["before, %"])
    assert rows["4"]["after, %"] == rows["4"]["before, %"]


def test_accents_of_a_folder_are_one_character_as_those_of_a_class(
    run: Project, command: Command, pictures: Path, tmp_path: Path
) -> None:
    layout.save(tmp_path / "one", Predictor.load("lora"))
    config = json.loads((tmp_path / "one/config.json").read_text())
    config["retain"]["card"]["classes"][3] = "\u00e9"
    (tmp_path / "one/config.json").write_text(json.dumps(config))
    shutil.copytree(pictures / "3", tmp_path / "photos/e\u0301")
    words = ("gate", "--from", tmp_path / "one", "--to", tmp_path / "one")
    code, printed, problem = command(*words, "--images", tmp_path / "photos")
    assert (code, problem) == (0, "")
    assert table(printed)["\u00e9"]["images"] == "10"
    shutil.copytree(pictures / "3", tmp_path / "photos/\u00e9")
    code, _, problem = command(*words, "--images", tmp_path / "photos")
    assert code == 2
    assert "photos: two folders are named \u00e9, their accents written differently" in problem


@pytest.mark.parametrize(
    ("flips", "words", "code"),
    [
        (29, ("--flips", "0.29"), 0),
        (30, ("--flips", "0.29"), 1),
        (93, ("--flips", "1", "--old", "0.07"), 0),
        (94, ("--flips", "1", "--old", "0.07"), 1),
    ],
)
def test_a_share_that_is_just_the_limit_passes(
    monkeypatch: pytest.MonkeyPatch, flips: int, words: tuple[str, ...], code: int
) -> None:
    actual = np.zeros(100, np.int64)
    after = (np.arange(100) < flips).astype(np.int64)
    one, other = (
        Answers(actual, each, np.full(100, 0.9), ["a", "b"], []) for each in (actual, after)
    )
    given = Change(one, other, np.ones(100, bool))
    monkeypatch.setattr(gate, "of_test", lambda *_: given)
    assert gate.main(["--from", "base", "--to", "lora", *words]) == code


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--to", "lora"), "the following arguments are required: --from"),
        (("--from", "base", "--to", "lroa"), "no model lroa; did you mean lora?"),
        (("--from", "photos", "--to", "lora"), "photos is a folder, for which --images FOLDER"),
        (("--from", "base", "--to", "lora", "--flips", "2"), "argument --flips: 2 is no share"),
        (("--from", "base", "--to", "lora", "--old", "nan"), "argument --old: nan is no share"),
        (("--from", "base", "--to", "lora", "--old", "x"), "argument --old: invalid number value"),
        (("--from", "base", "--to", "lora", "--images", "gone"), "gone: no folder"),
        (("--from", "photos", "--to", "lora", "--images", "photos"), "photos/config.json: not fo"),
    ],
)
def test_bad_words_are_refused_in_a_line(
    command: Command, pictures: Path, words: tuple[str, ...], message: str
) -> None:
    code, printed, problem = command("gate", *words)
    assert (code, printed) == (2, "")
    [line] = problem.splitlines()
    assert message in line


def test_folders_of_no_class_and_bad_pictures_are_refused(
    command: Command, pictures: Path, tmp_path: Path
) -> None:
    words = ("gate", "--from", "base", "--to", "lora", "--images", tmp_path)
    code, _, problem = command(*words)
    assert code == 2
    assert problem.startswith(f"gate: {tmp_path}: no picture of a class")
    (tmp_path / "tow").mkdir()
    (tmp_path / "tow/1.png").write_bytes(next((pictures / "2").iterdir()).read_bytes())
    code, _, problem = command(*words)
    assert code == 2
    assert "/tow: no class of the models; " in problem
    (tmp_path / "tow").rename(tmp_path / "2")
    (tmp_path / "2/2.png").write_text("text")
    code, _, problem = command(*words)
    assert code == 2
    assert problem.startswith("gate: 2/2.png: no picture")
    (tmp_path / "2").rename(tmp_path / "0")
    (tmp_path / "0/2.png").unlink()
    code, _, problem = command(*words)
    assert code == 2
    assert "no image of a class that base was taught" in problem


def test_help_names_the_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        gate.main(["--help"])
    assert "exit code is 1 if a limit" in " ".join(capsys.readouterr().out.split())
