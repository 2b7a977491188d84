"""What is frozen keeps its bytes: weights and batch statistics."""

from typing import Any

import pytest
import torch
from torch import nn

from pipeline.core.errors import InputError
from pipeline.learning import freezing, networks, training
from pipeline.learning.training import Recipe
from pipeline.learning.validation import Validation
from tests import foreign

RECIPE: dict[str, Any] = {
    "epochs": 2,
    "batch": 8,
    "learning_rate": 0.01,
    "optimizer": "adamw",
    "schedule": "one_cycle",
    "weight_decay": 0.1,
    "label_smoothing": 0.0,
    "patience": 5,
}


def changed_by_training(model: networks.Classifier) -> set[str]:
    """The names of the weights and buffers whose bytes a training changes."""
    before = {name: value.clone() for name, value in model.state_dict().items()}
    images = foreign.images()
    labels = torch.arange(len(images)) % 4
    judge = Validation(images, labels, labels == 3, "overall")
    training.fit(model, images, labels, Recipe.model_validate(RECIPE), judge)
    return {name for name, value in model.state_dict().items() if not value.equal(before[name])}


@pytest.mark.parametrize(
    ("name", "start", "moving"),
    [
        ("residual", "residual_1", "trunk.8."),
        ("test_resnet", "layer3", "trunk.1.layer3."),
        ("test_vit", "blocks.4", "trunk.1.blocks.4."),
    ],
)
def test_all_before_a_block_keeps_its_bytes(name: str, start: str, moving: str) -> None:
    model = foreign.classifier(name)
    freezing.train_from(model, start)
    names = list(model.state_dict())
    first = next(place for place, each in enumerate(names) if each.startswith(moving))
    changed = changed_by_training(model)
    assert not changed & set(names[:first])
    assert {each for each in names[first:] if each.endswith("weight")} <= changed
    if name != "test_vit":
        assert any(each.endswith("running_mean") for each in names[:first])
        assert {each for each in names[first:] if each.endswith("running_mean")} <= changed


@pytest.mark.parametrize("name", foreign.NAMES)
def test_the_head_alone_and_everything(name: str) -> None:
    model = foreign.classifier(name)
    freezing.train_from(model, "head")
    assert changed_by_training(model) == {"head.output.weight", "head.output.bias"}
    freezing.train_from(model, "all")
    trained = {each for each, weight in model.named_parameters() if weight.dim() > 1}
    assert trained <= changed_by_training(model)


def test_dropout_rests_with_what_is_before_it() -> None:
    trunk = nn.Sequential(
        nn.Flatten(), nn.Linear(4, 4), nn.Dropout(0.5), nn.Linear(4, 4), nn.Dropout(0.5)
    )
    model = networks.Classifier(trunk, networks.dense_head((4, 2), 0.0), {})
    freezing.train_from(model, "dense_2")
    model.train()
    assert [layer.training for layer in trunk] == [True, False, False, True, True]


def test_blocks_have_names_that_a_person_can_use() -> None:
    known = {name: list(freezing.blocks(foreign.classifier(name).trunk)) for name in foreign.NAMES}
    assert known["residual"] == ["conv_1", "conv_2", "residual_1", "conv_3", "conv_4", "residual_2"]
    assert {"conv1", "layer1", "layer4"} <= set(known["test_resnet"])
    assert {"patch_embed", "blocks", "blocks.0", "blocks.5"} <= set(known["test_vit"])


def test_unknown_block_is_one_line_with_those_that_there_are() -> None:
    with pytest.raises(
        InputError, match=r"network\.train is 'layer9'; accepted: all, head, conv_1, "
    ):
        freezing.train_from(foreign.classifier("residual"), "layer9")
