"""What CI says of results: the committed ones, or on other processors such as other seeds give."""

import shutil
from pathlib import Path

import pytest

from pipeline.core import artifacts
from tests import committed
from tests.project import ROOT


@pytest.fixture(autouse=True)
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The committed metrics in a folder of their own, on another processor."""
    shutil.copytree(ROOT / "metrics", tmp_path / "metrics")
    monkeypatch.chdir(tmp_path)
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
