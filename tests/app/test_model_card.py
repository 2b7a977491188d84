"""The model card where figures are unknown."""

import re
import shutil
from pathlib import Path

import pytest

from pipeline.app import model_card, results
from pipeline.app.models import Predictor
from pipeline.core import artifacts
from pipeline.core import run as stages
from pipeline.core.labelled import Labelled
from tests.project import Project


@pytest.fixture
def without_old(run: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A copy of the run, evaluated without a test image of an old class, in its folder."""
    shutil.copytree(run.folder, tmp_path / "own", symlinks=True)
    monkeypatch.chdir(tmp_path / "own")
    test = Labelled.load("data/images/test")
    test.where(test.labels == 0).save("data/images/test")
    assert stages.main(["evaluate"]) == 0


@pytest.mark.usefixtures("without_old")
@pytest.mark.parametrize("seeds", [0, 7])
def test_figures_of_old_classes_without_test_images_are_a_dash(seeds: int) -> None:
    metrics = artifacts.load_json(model_card.METRICS)
    assert metrics["lora"]["accuracy_old"] is metrics["lora"]["negative_flips"] is None
    if seeds:
        figures = {
            key: {"mean": 0.5, "ci95": 0.25, "n": seeds}
            for key, value in metrics["lora"].items()
            if isinstance(value, float)  # of what is unknown there is no mean
        }
        cell = {"case": "default", "metrics": {"new_class": metrics}}
        study = {"cells": {"a": cell}, "summary": {"default": {"new_class": {"lora": figures}}}}
        artifacts.save_json(results.REPLICATES, study)
    text = model_card.text(Predictor.load("lora"), [], False)
    for name in ("accuracy old", "negative flips"):
        row = re.search(rf"^\| {name}, % +\|(.*)\|$", text, re.M)
        assert row
        cells = [cell.strip() for cell in row[1].split("|")]
        assert cells == ["–"] * (4 if seeds else 3)
    known = re.search(r"^\| accuracy new, % .*$", text, re.M)
    assert known
    assert "–" not in known[0]
    assert not re.search(r"None|nan", text)


def test_hashes_are_those_of_the_lock_if_it_tells_of_them(
    run: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("data", "metrics"):
        shutil.copytree(run.folder / name, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    predictor = Predictor.load("lora")
    Path("dvc.lock").write_text("schema: '2.0'\n")
    assert "in DVC" not in model_card.text(predictor, [], False)
    Path("dvc.lock").write_text("stages: {download: {outs: [{path: data/images, md5: abc}]}}")
    assert "- `data/images` in DVC: abc" in model_card.text(predictor, [], False)
