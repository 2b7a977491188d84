"""Old classes, new classes, and validation."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.core import run
from pipeline.core.labelled import Labelled
from pipeline.new_class import results
from pipeline.new_class.starting import Start

Edit = Callable[[dict[str, Any]], None]
PARTS = ("old_train", "new_train", "old_validation", "new_validation")


@pytest.fixture
def whole(sources: Path) -> Labelled:
    """Images of three classes, named by numbers that are not their indices."""
    labels = np.random.default_rng(0).permutation(np.repeat([0, 1, 2], [100, 60, 40]))
    data = Labelled(np.arange(200, dtype=np.float32)[:, None], labels, ["1", "0", "star"], [])
    data.save(sources / "data/images/train")
    Start({}, {}, None, "").save()
    return data


@pytest.mark.parametrize(
    ("named", "expected"), [([0], [1]), (["0"], [1]), (["star"], [2]), ([1, "star"], [0, 2])]
)
def test_every_image_is_in_one_part_and_shares_are_kept(
    whole: Labelled, edit: Edit, named: list[Any], expected: list[int]
) -> None:
    edit({"split.new_classes": named, "split.validation": 0.2})
    assert run.main(["split"]) == 0
    parts = {name: Labelled.load(f"data/split/{name}") for name in PARTS}
    rows = np.concatenate([part.inputs[:, 0] for part in parts.values()])
    assert sorted(rows) == list(range(200))
    for part in parts.values():
        assert np.array_equal(part.labels, whole.labels[part.inputs[:, 0].astype(int)])
        assert (np.diff(part.inputs[:, 0]) > 0).all()
        assert part.classes == whole.classes
        assert part.new == expected
    assert parts["new_train"].is_new.all()
    assert not parts["old_train"].is_new.any()
    held_out = [parts[name].labels for name in ("old_validation", "new_validation")]
    assert np.bincount(np.concatenate(held_out)).tolist() == [20, 12, 8]


@pytest.mark.parametrize(
    ("kind", "new"), [("new", ["star", "0"]), ("old", ["1"])], ids=["new", "old"]
)
def test_few_images_are_few_to_choose_on_too_and_change_nothing_else(
    whole: Labelled, edit: Edit, kind: str, new: list[str]
) -> None:
    def rows(part: str) -> list[int]:
        drawn: list[int] = Labelled.load(f"data/split/{part}").inputs[:, 0].tolist()
        return drawn

    edit({"split.new_classes": new})
    assert run.main(["split"]) == 0
    before = {part: rows(part) for part in PARTS}
    few, held_out = f"{kind}_train", f"{kind}_validation"
    drawn = {}
    for count, draw in ((3, 0), (5, 0), (3, 1)):
        edit({f"split.{kind}_images": count, "split.draw": draw})
        assert run.main(["split"]) == 0
        drawn[count, draw] = rows(few)
        labels = Labelled.load(f"data/split/{few}").labels
        assert np.bincount(labels).tolist() == [0, count, count]
        assert {*drawn[count, draw]} < {*before[few]}
        assert {*rows(held_out)} < {*before[held_out]}
        labels = Labelled.load(f"data/split/{held_out}").labels
        assert np.bincount(labels).tolist() == [0, 1, 1]
        assert all(rows(part) == before[part] for part in {*PARTS} - {few, held_out})
    assert {*drawn[3, 0]} < {*drawn[5, 0]}
    assert drawn[3, 0] != drawn[3, 1]
    edit({f"split.{kind}_images": 30, "split.validation": 0.2})
    assert run.main(["split"]) == 0
    # Of 60 and 40 images 48 and 32 are left to train on; to 30 of these belong 30 · 0.2 / 0.8.
    assert np.bincount(Labelled.load(f"data/split/{held_out}").labels)[1:].tolist() == [8, 8]


def test_partition_depends_on_its_own_seed_alone(whole: Labelled, edit: Edit) -> None:
    def held_out(**seeds: int) -> list[int]:
        edit({key.replace("_", "."): seed for key, seed in seeds.items()})
        assert run.main(["split"]) == 0
        inputs: list[int] = sorted(results.validation("split").inputs[:, 0].tolist())
        return inputs

    edit({"split.new_classes": ["star"]})
    first = held_out(seed=0, split_seed=0)
    assert held_out(seed=5) == first
    assert held_out(split_seed=1) != first
    edit({"split.new_classes": ["0"]})
    assert held_out(split_seed=0) == first


@pytest.mark.parametrize(
    ("named", "problem"),
    [
        ([0, 1, "star"], "split.new_classes names all classes"),
        ([2], "split.new_classes has 2, which is no class; accepted: 1, 0, star"),
        (["stra"], "split.new_classes has stra, which is no class; did you mean star?"),
        ([1, "1"], "split.new_classes names 1 twice"),
        ([True], "split.new_classes.0 is True"),
        ([["star"], ["1", "star"]], "split.new_classes names star twice"),
        ([["star"], []], "split.new_classes is [['star'], []]: names accepted, or lists"),
        ([["star"], [True]], "split.new_classes.1.0 is True"),
        ([["star"], "1"], "split.new_classes is [['star'], '1']: names accepted, or lists"),
    ],
)
def test_impossible_new_classes(
    whole: Labelled,
    edit: Edit,
    capsys: pytest.CaptureFixture[str],
    named: list[Any],
    problem: str,
) -> None:
    edit({"split.new_classes": named})
    assert run.main(["split"]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith(f"split: params.yaml: {problem}")
    assert not Path("data/split").exists()


@pytest.mark.usefixtures("whole")
def test_steps_are_told_beside_the_images_of_all_of_them(edit: Edit) -> None:
    edit({"split.new_classes": [["star"], [0]]})
    assert run.main(["split"]) == 0
    for part in PARTS:
        images = Labelled.load(f"data/split/{part}")
        steps = [[images.classes[label] for label in step] for step in images.steps]
        assert steps == [["star"], ["0"]]
    edit({"split.new_classes": [["star", 0]]})
    assert run.main(["split"]) == 0
    assert not Labelled.load("data/split/new_train").steps


@pytest.mark.usefixtures("whole")
def test_classes_of_a_classifier_come_first_if_it_knows_all_old_ones(edit: Edit) -> None:
    edit({"split.new_classes": [1]})
    for known, expected in (
        (["x", "star", "0"], ["x", "star", "0", "1"]),
        (["0", "x"], ["1", "0", "star"]),
    ):
        Start({}, {}, known, "").save()
        assert run.main(["split"]) == 0
        new = Labelled.load("data/split/new_train")
        assert new.classes == expected
        assert [new.classes[label] for label in new.new] == ["1"]
        assert {new.classes[label] for label in new.labels} == {"1"}
        old = Labelled.load("data/split/old_train")
        assert {old.classes[label] for label in old.labels} == {"0", "star"}


@pytest.mark.usefixtures("whole")
def test_old_class_without_images_must_be_known(
    edit: Edit, capsys: pytest.CaptureFixture[str]
) -> None:
    images = Labelled.load("data/images/train")
    images._replace(classes=[*images.classes, "gone"]).save("data/images/train")
    edit({"split.new_classes": ["star"]})
    assert run.main(["split"]) == 2
    assert "split: class gone has no training images, and no class" in capsys.readouterr().err
    Start({}, {}, ["0", "gone", "1"], "").save()
    assert run.main(["split"]) == 0


def test_without_new_classes_all_are_old(whole: Labelled, edit: Edit) -> None:
    edit({"split.new_classes": [], "split.validation": 0.2})
    assert run.main(["split"]) == 0
    counts = {name: len(Labelled.load(f"data/split/{name}").labels) for name in PARTS}
    held_out = {"old_validation": 40, "new_validation": 0}
    assert counts == {"old_train": 160, "new_train": 0, **held_out}
