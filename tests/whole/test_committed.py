"""What CI says of results: the committed ones, or on other processors such as other seeds give."""

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from pipeline.core import artifacts
from tests import committed
from tests.project import ROOT

COMMITTER = "-c user.name=x -c user.email=x@x"


@pytest.fixture(autouse=True)
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The committed metrics in a folder of their own, on another processor."""
    shutil.copytree(ROOT / "metrics", tmp_path / "metrics")
    shutil.copy(ROOT / "dvc.lock", tmp_path)
    monkeypatch.chdir(tmp_path)
    for command in ("init --quiet", "add dvc.lock", f"{COMMITTER} commit --quiet --message x"):
        subprocess.run(["git", *command.split()], check=True)
    monkeypatch.setattr(committed, "as_committed", lambda: False)


@pytest.mark.parametrize(("change", "code"), [(0.0, 0), (-0.002, 0), (-0.05, 1)])
def test_accuracies_on_other_processors_are_held_against_those_of_seeds(
    change: float, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    metrics = artifacts.load_json(Path("metrics/new_class.json"))
    metrics["replay"]["accuracy_new"] += change
    artifacts.save_json(Path("metrics/new_class.json"), metrics)
    assert committed.main() == code
    assert ("new_class: replay.accuracy_new is 0.9" in capsys.readouterr().out) == bool(code)


@pytest.mark.parametrize(
    ("stage", "kind", "path", "told"),
    [
        ("lora", "deps", "pipeline/methods/lora.py", "lora: other code"),
        ("split", "outs", "data/split/old_train", "split: other outputs"),
        ("pretrain", "outs", "data/base", ""),
    ],
)
def test_code_and_what_needs_no_arithmetic_are_the_same_on_any_processor(
    stage: str, kind: str, path: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    lock = yaml.safe_load(Path("dvc.lock").read_text())
    [entry] = [each for each in lock["stages"][stage][kind] if each["path"] == path]
    entry["md5"] = "0" * 32
    Path("dvc.lock").write_text(yaml.safe_dump(lock))
    assert committed.main() == bool(told)
    assert told in capsys.readouterr().out
