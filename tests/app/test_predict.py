"""`python -m pipeline predict`: files, folders, stdin, and what can't be read."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from time import process_time

import numpy as np
import pytest
from PIL import Image

from pipeline.app import predict
from tests.app.conftest import Command
from tests.project import Project


def test_methods_answer_stands_beside_that_of_the_base(command: Command, pictures: Path) -> None:
    code, printed, _ = command("predict", pictures, "--json")
    assert code == 0
    found = [json.loads(line) for line in printed.splitlines()]
    assert [each["picture"] for each in found] == sorted(map(str, pictures.rglob("*.png")))
    for each in found:
        assert each["method"] == "lora"
        assert each["probability"] == max(each["probabilities"].values())
        assert each["base"]["known"] in (True, False)
    actual = [Path(each["picture"]).parent.name for each in found]
    hits = [each["name"] == name for each, name in zip(found, actual, strict=True)]
    of_base = [each["base"]["name"] == name for each, name in zip(found, actual, strict=True)]
    assert np.mean(hits) > np.mean(of_base) > 0.5


def test_table_says_unknown_below_the_threshold(command: Command, pictures: Path) -> None:
    lines = command("predict", pictures, "--method", "replay", "--json")[1].splitlines()
    code, printed, _ = command("predict", pictures, "--method", "replay")
    rows = [[cell.strip() for cell in row.split("|")[1:-1]] for row in printed.splitlines()]
    assert code == 0
    assert rows[0][0] == "picture"
    assert len(rows) == 2 + len(lines)
    unknown = 0
    for row, line in zip(rows[2:], map(json.loads, lines), strict=True):
        for cell, answer in ((row[1], line), (row[3], line["base"])):
            assert cell == (answer["name"] if answer["known"] else f"unknown ({answer['name']}?)")
            unknown += not answer["known"]
    assert unknown


def test_base_is_shown_once(command: Command, pictures: Path) -> None:
    _, printed, _ = command("predict", pictures / "3", "--method", "base", "--json")
    assert all("base" not in json.loads(line) for line in printed.splitlines())


def test_a_class_from_a_file_is_answered_beside_the_others(
    command: Command, pictures: Path, taught_file: Path
) -> None:
    code, printed, _ = command("predict", pictures, "--with", taught_file, "--json")
    assert code == 0
    found = [json.loads(line) for line in printed.splitlines()]
    for each in found:
        assert list(each["taught"]["probabilities"]) == [*map(str, range(1, 10)), "zero"]
        assert each["name"] in each["probabilities"]
    zeros = [Path(each["picture"]).parent.name == "0" for each in found]
    named = [each["taught"]["name"] == "zero" for each in found]
    assert np.mean(np.equal(zeros, named)) > 0.9
    header = command("predict", pictures / "0", "--with", taught_file, "--method", "base")[1]
    assert [cell.strip() for cell in header.splitlines()[0].split("|")[2:-1:2]] == [
        "base (before)",
        "base with zero",
    ]


def test_files_that_hold_no_class_of_this_base_are_refused_in_a_line(
    command: Command, pictures: Path, taught_file: Path, tmp_path: Path
) -> None:
    content = taught_file.read_bytes()
    name = re.search(rb"base[^0-9a-f]*([0-9a-f]{64})", content)
    assert name
    for file, given, problem in (
        ("cut", content[:-2], "cut short, or not a safetensors file"),
        ("other", content.replace(name[1], b"0" * 64), "learned on another base"),
        ("forged", content.replace(b"weight", b"height"), "not a class of this version"),
        ("model", Path("data/base/model.safetensors").read_bytes(), "holds a model; a row for a"),
    ):
        (tmp_path / file).write_bytes(given)
        code, printed, told = command("predict", pictures / "0", "--with", tmp_path / file)
        assert (code, printed) == (2, "")
        [line] = told.splitlines()
        assert line.startswith(f"predict: {tmp_path / file}: ")
        assert problem in line
    [line] = command("predict", pictures, "--with", tmp_path / "gone")[2].splitlines()
    assert line == f"predict: {tmp_path / 'gone'}: no such file"


@pytest.mark.parametrize("method", ["new_row", "slda"])
def test_heads_of_every_kind_answer(command: Command, pictures: Path, method: str) -> None:
    code, printed, _ = command("predict", pictures, "--method", method, "--json")
    assert code == 0
    found = [json.loads(line) for line in printed.splitlines()]
    hits = [each["name"] == Path(each["picture"]).parent.name for each in found]
    assert np.mean(hits) > 0.7


def test_bad_files_get_a_line_each_and_the_rest_is_answered(
    command: Command, pictures: Path, tmp_path: Path
) -> None:
    good = next((pictures / "4").iterdir())
    (tmp_path / "no.png").write_text("text")
    (tmp_path / "cut.png").write_bytes(good.read_bytes()[:100])
    (tmp_path / "empty").mkdir()
    bad = [tmp_path / "gone.png", tmp_path / "no.png", tmp_path / "cut.png", tmp_path / "empty"]
    code, printed, problems = command("predict", *bad, good, "--json")
    assert code == 1
    assert len(printed.splitlines()) == 1
    assert len(problems.splitlines()) == len(bad)
    for path in bad:
        assert f"predict: {path}: " in problems
    code, printed, problems = command("predict", *bad)
    assert (code, printed, len(problems.splitlines())) == (2, "", len(bad))


def test_real_process_reads_stdin(run: Project, pictures: Path) -> None:
    file = next((pictures / "7").iterdir())
    words = (sys.executable, "-m", "pipeline", "predict", "-", "--json")
    done = subprocess.run(words, input=file.read_bytes(), capture_output=True, check=True)
    [line] = done.stdout.splitlines()
    assert json.loads(line)["picture"] == "-"
    assert json.loads(line)["name"] == "7"
    done = subprocess.run(words, input=b"", capture_output=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith(b"predict: -: no picture")
    assert len(done.stderr.splitlines()) == 1


def test_names_that_are_no_text_are_shown_escaped(
    command: Command, pictures: Path, tmp_path: Path
) -> None:
    content = next((pictures / "4").iterdir()).read_bytes()
    with open(os.fsencode(tmp_path) + b"/\xff\n.png", "wb") as file:  # noqa: PTH123
        file.write(content)
    code, printed, _ = command("predict", tmp_path, "--json")
    assert code == 0
    assert len(printed.splitlines()) == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "the following arguments are required: IMAGE"),
        (("x.png", "--method"), "argument --method: expected one argument"),
        (("x.png", "--methods", "lora"), "unrecognized arguments: --methods lora"),
        (("x.png", "--method", "lroa"), "data/new_class/card.json: tells of no method lroa; did"),
    ],
)
def test_bad_words_are_refused_in_a_line(
    command: Command, words: tuple[str, ...], message: str
) -> None:
    code, printed, problem = command("predict", *words)
    assert (code, printed) == (2, "")
    [line] = problem.splitlines()
    assert line.startswith(f"predict: {message}")


def test_help_says_what_digits_must_look_like(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        predict.main(["--help"])
    assert ended.value.code == 0
    assert "white on black" in " ".join(capsys.readouterr().out.split())


def test_a_thousand_small_pictures_take_a_core_five_seconds_at_most(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RETAIN_WORKERS", "1")  # whose time can be told, whatever else runs
    for number, pixels in enumerate(np.random.default_rng(0).integers(0, 256, (1000, 32, 32))):
        Image.fromarray(pixels.astype(np.uint8)).save(tmp_path / f"{number}.png")
    began = process_time()
    code, printed, _ = command("predict", tmp_path, "--json")
    assert process_time() - began < 5
    assert (code, len(printed.splitlines())) == (0, 1000)
