"""One class after another: what each method is handed, and what it comes to."""

from itertools import chain
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from pipeline.core import run
from pipeline.core.labelled import Labelled
from pipeline.learning.networks import Classifier
from pipeline.new_class import results
from pipeline.new_class.results import handing
from tests.methods.conftest import clouds, learned_by, prepare
from tests.project import Project

STEPS = [[3], [1]]
OLD = [0, 2]
TEST = clouds(100, 2, STEPS)
LONGER_STEPS = {
    f"{name}.{key}": value
    for name in ("replay", "gaussian_replay", "joint")
    for key, value in {"epochs": 20, "learning_rate": 0.02, "patience": 20}.items()
}
METHODS = yaml.safe_load(Path("params.yaml").read_text())["methods"]
WITHOUT_IMAGES = ["analytic", "slda", "prototypes", "gaussian_replay", "new_row", "reft"]
WITH_IMAGES = ["replay", "joint", "last_layer", "icarl", "dark_replay"]


def accuracy(model: Classifier, classes: list[int]) -> float:
    part = TEST.where(np.isin(TEST.labels, classes))
    with torch.no_grad():
        answers = model(torch.from_numpy(part.inputs)).argmax(1).numpy()
    return float((answers == part.labels).mean())


@pytest.fixture
def project(sources: Path) -> Path:
    prepare(sources, STEPS)
    Project(sources).set({"sequential.trials": 2, "lora.trials": 2} | LONGER_STEPS)
    return sources


@pytest.mark.parametrize("name", METHODS)
def test_a_method_is_handed_the_step_and_what_it_keeps_alone(
    project: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    handed: list[dict[str, list[int]]] = []
    fill = handing.Handing.fill

    def seen(self: handing.Handing, folder: Path) -> None:
        fill(self, folder)
        files = {path.relative_to(folder).as_posix() for path in folder.rglob("*")}
        allowed = {"dvc.yaml", "data/base/model.safetensors", *self.needed}
        for file in files:
            ours = any(Path(file).is_relative_to(each) for each in allowed)
            learned = file.startswith("data/base/steps")
            assert ours or learned or (folder / file).is_dir(), file
        parts = [folder / each for each in self.needed if each.startswith(("data/s", "data/f"))]
        handed.append(
            {
                part.relative_to(folder).as_posix(): sorted(set(Labelled.load(part).labels))
                for part in parts
                if (part / "labels.npy").exists()
            }
        )

    monkeypatch.setattr(handing.Handing, "fill", seen)
    assert run.main([name]) == 0
    for step, parts in enumerate(handed):
        for part, labels in parts.items():
            kind = Path(part).name
            old = sorted([*OLD, *chain.from_iterable(STEPS[:step])])
            expected = STEPS[step] if kind.startswith("new") else old
            assert labels == expected, (step, part)
    assert len(handed) == len(STEPS)
    assert not (results.METHODS / name / "work").exists()


@pytest.mark.parametrize("name", [*WITHOUT_IMAGES, *WITH_IMAGES])
def test_a_method_learns_one_class_after_another(project: Path, name: str) -> None:
    method = learned_by(name)
    first, last = method.after
    assert accuracy(first, [*OLD, 3]) > 0.93
    assert accuracy(first, [1]) < 0.1
    assert accuracy(last, [0, 1, 2, 3]) > 0.9
    assert method.model is last
    assert ("none" if name in WITHOUT_IMAGES else "training") == method.facts["original_data"]


@pytest.mark.parametrize("name", ["analytic", "slda", "prototypes"])
def test_the_order_of_classes_changes_nothing_in_closed_forms(
    sources: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answers(steps: list[list[int]]) -> torch.Tensor:
        prepare(sources, steps)
        with torch.no_grad():
            found: torch.Tensor = learned_by(name).model(torch.from_numpy(TEST.inputs)).argmax(1)
        return found

    one = answers([[3], [1]])
    assert (answers([[1], [3]]) == one).float().mean() > 0.99
    assert (answers([[1, 3]]) == one).float().mean() > 0.99
