"""Linear probing, then fine-tuning; the trunk at a rate of its own."""

from typing import Any

import pytest
import torch
from torch import Tensor

from pipeline.learning import fine_tuning, freezing, networks, training
from pipeline.learning.fine_tuning import FineTuning
from pipeline.learning.networks import Classifier
from pipeline.learning.training import Curve
from pipeline.learning.validation import Validation

RECIPE: dict[str, Any] = {
    "probe_epochs": 0,
    "trunk_rate": 1.0,
    "epochs": 3,
    "batch": 32,
    "learning_rate": 0.01,
    "optimizer": "sgd",
    "schedule": "one_cycle",
    "weight_decay": 0.0,
    "label_smoothing": 0.0,
    "patience": 9,
}
State = dict[str, Tensor]


def data() -> tuple[Tensor, Tensor]:
    labels = torch.arange(96) % 3
    noise = torch.rand(96, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    return noise * 0.3 + labels[:, None, None, None] / 3, labels


def network() -> Classifier:
    torch.manual_seed(1)
    return networks.cnn((1, 28, 28), 3, 0.0, channels=(2, 4, 4), hidden=(8,))


def judge() -> Validation:
    images, labels = data()
    return Validation(images, labels, labels == 2, "overall")


def fitted(start: str = "all", **changes: Any) -> tuple[Classifier, Curve]:
    model = network()
    freezing.train_from(model, start)
    recipe = FineTuning.model_validate(RECIPE | changes)
    torch.manual_seed(2)
    return model, fine_tuning.fit(model, *data(), recipe, judge(), prepare=None, progress="test")


def test_without_either_it_is_the_plain_training_bit_for_bit() -> None:
    model, curve = fitted()
    plain = network()
    torch.manual_seed(2)
    recipe = FineTuning.model_validate(RECIPE)
    assert training.fit(plain, *data(), recipe, judge()) == curve
    assert all(map(torch.equal, plain.state_dict().values(), model.state_dict().values()))


def test_the_head_is_trained_first_and_then_everything() -> None:
    probed, first = fitted("head", epochs=2)
    both, curve = fitted(probe_epochs=2, epochs=3)
    assert curve[:2] == first
    assert [row["epoch"] for row in curve] == [1, 2, 3, 4, 5]
    assert [row["step"] for row in curve] == [3, 6, 9, 12, 15]
    assert all(map(torch.equal, probed.trunk.parameters(), network().trunk.parameters()))
    assert not any(map(torch.equal, both.trunk.parameters(), network().trunk.parameters()))


def test_what_is_frozen_stays_so_after_the_head_was_trained_alone() -> None:
    model, _ = fitted("conv_3", probe_epochs=1)
    after, before = model.trunk.state_dict(), network().trunk.state_dict()
    assert {name for name in after if not after[name].equal(before[name])} == {
        "7.weight",
        "7.bias",
    }


@pytest.mark.parametrize("schedule", ["constant", "one_cycle"])
@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_trunk_has_a_rate_of_its_own(optimizer: str, schedule: str) -> None:
    def moved(trunk_rate: float) -> tuple[float, float]:
        model, curve = fitted(
            epochs=1, batch=96, trunk_rate=trunk_rate, optimizer=optimizer, schedule=schedule
        )
        assert curve[0]["learning_rate"] == pytest.approx(0.01)  # the head's
        start = network()
        parts = ((model.trunk, start.trunk), (model.head, start.head))
        trunk, head = (
            sum(
                float((now - then).detach().abs().sum())
                for now, then in zip(one.parameters(), other.parameters(), strict=True)
            )
            for one, other in parts
        )
        return trunk, head

    (whole, head), (tenth, same) = moved(1.0), moved(0.1)
    assert same == head
    assert tenth == pytest.approx(whole / 10, rel=1e-3)
