"""The stage that trains with few labelled images."""

import shutil
from pathlib import Path

import pytest
import torch

from pipeline.core import run
from pipeline.core.labelled import Labelled
from pipeline.learning import networks
from pipeline.shapes import contenders, drawing
from tests.project import Project

NAMES = ["star", "pentagon"]
FOLDER = Path("data/shapes/few_labels")


@pytest.fixture
def project(sources: Path) -> Project:
    """A base and images; a few steps of training."""
    torch.manual_seed(5)
    contenders.save_base(networks.shape_cnn((3, 64, 64), 3, 0.1), [])
    images = Labelled(*drawing.images(NAMES, 8, 64, 0), NAMES, [])
    images.save("data/shapes/images/target_train")
    steps = {f"shapes.few_labels.{contender.name}.steps": 3 for contender in contenders.ALL}
    project = Project(sources)
    project.set(steps | {"shapes.few_labels.batch": 8})
    return project


def made() -> dict[str, bytes]:
    """The files of a run of the stage."""
    assert run.main(["shapes_few_labels"]) == 0
    return {str(file.relative_to(FOLDER)): file.read_bytes() for file in FOLDER.rglob("*.*")}


def test_results_depend_neither_on_the_workers_nor_on_the_trainings_beside(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.set({"shapes.few_labels.images": [2, 4]})
    side_by_side = made()
    assert {name.rsplit("/", 1)[0] for name in side_by_side} == {
        f"{contender.name}/{count}" for contender in contenders.ALL for count in (2, 4)
    }
    monkeypatch.setenv("RETAIN_WORKERS", "1")
    shutil.rmtree(FOLDER)
    project.set({"shapes.few_labels.images": [4, 8]})
    others = made()
    both = {name for name in side_by_side if "/4/" in name}
    assert both
    assert all(side_by_side[name] == others[name] for name in both)


def test_a_training_that_diverges_is_named_and_nothing_is_saved(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RETAIN_WORKERS", "1")
    wild = {"shapes.few_labels.scratch.learning_rate": 1e30}
    project.set(wild | {"shapes.few_labels.images": [2, 4]})
    assert run.main(["shapes_few_labels"]) == 2
    told = capsys.readouterr().err
    assert "scratch diverged with 2 labels; a lower shapes.few_labels.scratch.learning_rate" in told
    assert not FOLDER.exists()
