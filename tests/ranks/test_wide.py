"""The wide network's two tasks and the ways from one to the other."""

from pathlib import Path

import numpy as np
import pytest
import torch

from pipeline.core.errors import InputError
from pipeline.core.labelled import Labelled
from pipeline.learning import models, networks
from pipeline.ranks import wide
from pipeline.ranks.wide import Contender
from pipeline.techniques import adapters


@pytest.fixture(scope="module")
def base() -> networks.Classifier:
    torch.manual_seed(0)
    return networks.mlp((1, 8, 8), 5, 0.5, hidden=(30, 40)).eval()


def inputs() -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(256, (20, 1, 8, 8), dtype=torch.uint8, generator=generator)


def scaling(rank: int, width: int) -> float:
    return width / 10 / rank


def test_wide_network_is_the_published_one() -> None:
    model = networks.mlp((1, 28, 28), 5, 0.5)
    assert models.trainable_parameters(model) == 2_797_005
    counts = {"full": 2_797_005, "last_layer": 10_005, "rank_1": 6_789, "rank_64": 434_496}
    for contender in wide.contenders([1, 64]):
        adapted = wide.untrained(contender, model, 0.1, scaling)
        assert models.trainable_parameters(adapted) == counts[contender.name]


DATA = Labelled(np.arange(6)[:, None], np.array([0, 1, 2, 3, 2, 1]), list("abcd"), [0])


def test_tasks_have_all_classes_and_none_twice() -> None:
    first, second = wide.tasks(DATA, ["d", "b"], None)
    assert (first.classes, second.classes) == (["d", "b"], ["a", "c"])
    assert first.labels.tolist() == [1, 0, 1]
    assert second.inputs[:, 0].tolist() == [0, 2, 4]


def test_second_task_is_of_the_classes_that_it_names() -> None:
    first, second = wide.tasks(DATA, ["d", "b"], ["c"])
    assert (first.classes, second.classes) == (["d", "b"], ["c"])
    assert (second.inputs[:, 0].tolist(), second.labels.tolist()) == ([2, 4], [0, 0])


@pytest.mark.parametrize(
    ("first", "second", "problem"),
    [
        (["a"], None, "pretrain.classes names 1 classes, and the sweep is of 3; 1 to 1 accepted"),
        (list("abcd"), None, "pretrain.classes names 4 classes, and the sweep is of 0"),
        (["a", "b"], [], "pretrain.classes names 2 classes, and the sweep is of 0"),
        (["a", "a"], None, "pretrain.classes names a twice"),
        (["a", "e"], None, "pretrain.classes has e, which is no class"),
        (["a", "b"], ["e"], "sweep.classes has e, which is no class"),
        (["a", "b"], ["c", "a"], "sweep.classes has a, which ranks.pretrain.classes has too"),
    ],
)
def test_other_tasks_are_refused(first: list[str], second: list[str] | None, problem: str) -> None:
    with pytest.raises(InputError, match=rf"params\.yaml: ranks\.{problem}"):
        wide.tasks(DATA, first, second)


@pytest.mark.parametrize("contender", wide.contenders([1, 4]))
def test_contender_starts_from_the_base(contender: Contender, base: networks.Classifier) -> None:
    model = wide.untrained(contender, base, 0.0, scaling).eval()
    same = torch.equal(model(inputs()), base(inputs()))
    assert same == (contender.trains != "last_layer")


@pytest.mark.parametrize(("dropout", "repeats"), [(0.0, True), (0.5, False)])
def test_hidden_units_are_dropped_as_asked(
    base: networks.Classifier, dropout: float, repeats: bool
) -> None:
    model = wide.untrained(Contender("full"), base, dropout, scaling).train()
    images = inputs()
    assert torch.equal(model(images), model(images)) == repeats


def test_updates_are_scaled_by_the_inputs_of_their_layer(base: networks.Classifier) -> None:
    model = wide.untrained(Contender("lora", 4), base, 0.0, scaling)
    assert [layer.scaling for _, layer in adapters.adapted(model)] == [1.6, 0.75, 1.0]


def test_base_comes_back_with_the_names_of_its_classes(
    base: networks.Classifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    wide.save_base(base, ["0", "star"], [{"step": 1, "loss": 0.5}])
    model, classes = wide.load_base()
    assert classes == ["0", "star"]
    assert torch.equal(model(inputs()), base(inputs()))
