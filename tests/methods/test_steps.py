"""One class after another: what each method is handed, and what it comes to."""

from collections.abc import Callable
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml

from pipeline.core import artifacts, run
from pipeline.core.errors import InputError
from pipeline.core.labelled import Labelled
from pipeline.learning.networks import Classifier
from pipeline.new_class import results
from pipeline.new_class.results import handing
from pipeline.techniques.fisher import Fisher
from pipeline.techniques.statistics.gaussians import Gaussians
from pipeline.techniques.statistics.ridge import Sums
from pipeline.techniques.statistics.slda import Moments
from tests.methods.conftest import clouds, learned_by, prepare
from tests.project import Project


def is_labelled(path: Path) -> bool:
    return (path / "labels.npy").exists()


STEPS = [[3], [1]]
OLD = [0, 2]
TEST = clouds(100, 2, STEPS)
LONGER_STEPS = {
    f"{name}.{key}": value
    for name in ("replay", "gaussian_replay", "joint")
    for key, value in {"epochs": 20, "learning_rate": 0.02, "patience": 20}.items()
} | {"replay.least_steps": 0, "joint.least_steps": 0}
METHODS = yaml.safe_load(Path("params.yaml").read_text())["methods"]
WITHOUT_IMAGES = ["analytic", "slda", "prototypes", "gaussian_replay", "new_row", "reft"]
WITH_IMAGES = ["replay", "joint", "last_layer", "icarl", "dark_replay"]


def handed_to(name: str, monkeypatch: pytest.MonkeyPatch, look: Callable[[Path], Any]) -> list[Any]:
    """What is seen in the folder of each step, when a method is about to learn in it."""
    seen: list[Any] = []
    fill = handing.Handing.fill

    def filled(self: handing.Handing, folder: Path) -> None:
        fill(self, folder)
        seen.append(look(folder))

    with monkeypatch.context() as patch:
        patch.setattr(handing.Handing, "fill", filled)
        assert run.main([name]) == 0
    return seen


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
    needed = results.dependencies(results.METHODS / name)

    def look(folder: Path) -> dict[str, Labelled]:
        allowed = ["dvc.yaml", "data/base/model.safetensors", "data/base/steps", *needed]
        for file in folder.rglob("*"):
            place = file.relative_to(folder)
            assert file.is_dir() or any(place.is_relative_to(each) for each in allowed), place
        parts = {
            each: Labelled.load(folder / each) for each in needed if is_labelled(folder / each)
        }
        return {each: part.where(np.arange(len(part.labels))) for each, part in parts.items()}

    handed = handed_to(name, monkeypatch, look)
    for step, parts in enumerate(handed):
        old = sorted([*OLD, *chain.from_iterable(STEPS[:step])])
        for part, data in parts.items():
            is_new = Path(part).name.startswith("new")
            assert sorted(set(data.labels)) == (STEPS[step] if is_new else old), (step, part)
            assert data.new == STEPS[step]
            assert not data.steps
    assert len(handed) == len(STEPS)
    assert not (results.METHODS / name / "work").exists()


def test_statistics_are_those_of_all_classes_so_far(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train = clouds(200, 0, STEPS)
    so_far = train.where(np.isin(train.labels, [*OLD, *STEPS[0]]))
    inputs, labels = torch.from_numpy(so_far.inputs), torch.from_numpy(so_far.labels)
    kept = Path("data/statistics")
    gaussians_file, sums_file, moments_file = (
        kept / f"{kind}.safetensors" for kind in ("gaussians", "sums", "moments")
    )
    fisher_file = Path("data/fisher/fisher.safetensors")

    _, gaussians = handed_to(
        "gaussian_replay",
        monkeypatch,
        lambda at: Gaussians.load(at / gaussians_file),
    )
    expected = Gaussians.of(inputs, labels, 4)
    order = gaussians.labels.argsort()
    for one, other in zip(gaussians, expected, strict=True):
        torch.testing.assert_close(one[order].abs(), other.abs(), atol=1e-4, rtol=1e-4)
    assert results.load_base().description["classes"] == 4

    _, (sums, projection) = handed_to("analytic", monkeypatch, lambda at: Sums.load(at / sums_file))
    all_sums = Sums.of(projection, inputs, labels, 4)
    torch.testing.assert_close(sums, all_sums, atol=1e-2, rtol=1e-5)

    _, moments = handed_to("slda", monkeypatch, lambda at: Moments.load(at / moments_file))
    torch.testing.assert_close(
        moments.scatter, Moments.of(inputs, labels).scatter, atol=1e-2, rtol=1e-4
    )

    Project(project).set({"fisher.images": 7})
    looked_at: list[int] = []
    sampled = Fisher.sampled

    def counted(model: Classifier, images: torch.Tensor) -> Fisher:
        looked_at.append(len(images))
        return sampled(model, images)

    monkeypatch.setattr(Fisher, "sampled", counted)
    artifacts.save_json("data/weights/about.json", {"statistics": []})
    assert run.main(["fisher"]) == 0
    first, second = handed_to("ewc", monkeypatch, lambda at: Fisher.load(at / fisher_file)[0])
    assert all((second.weights[name] >= weight).all() for name, weight in first.weights.items())
    assert looked_at == [7 * len(OLD), 7]


@pytest.mark.parametrize(
    ("name", "budget", "part", "all_images"),
    [
        ("replay", 7, "features/old_train", 200),
        ("replay", 7, "features/old_validation", 50),
        ("icarl", 5, "split/old_train", 200),
    ],
)
def test_what_is_kept_does_not_outgrow_the_budget(
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    budget: int,
    part: str,
    all_images: int,
) -> None:
    Project(project).set({f"{name}.budget": budget})
    old = Path("data", part)
    first, second = handed_to(
        name, monkeypatch, lambda at: np.bincount(Labelled.load(at / old).labels)
    )
    assert first.tolist() == [all_images, 0, all_images]
    assert second.tolist() == [budget, 0, budget, budget]


def test_a_step_that_fails_leaves_nothing(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(folder: Path) -> None:
        if folder.name == "2":
            raise InputError("no more")

    monkeypatch.setattr(run, "guarded", lambda name, work: work())
    with pytest.raises(InputError, match="no more"):
        handed_to("slda", monkeypatch, refuse)
    assert not (results.METHODS / "slda/work").exists()
    assert not (results.METHODS / "slda/facts.json").exists()


def test_rows_of_an_earlier_step_keep_their_bits(project: Path) -> None:
    first, last = learned_by("new_row").after
    with torch.no_grad():
        before, after = (model(torch.from_numpy(TEST.inputs)) for model in (first, last))
    assert torch.equal(before[:, [*OLD, 3]], after[:, [*OLD, 3]])


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
