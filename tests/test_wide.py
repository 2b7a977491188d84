"""The wide network's two tasks and the ways from one to the other."""

from pathlib import Path

import numpy as np
import pytest
import torch

from pipeline import adapters, models, wide
from pipeline.datasets import Labelled
from pipeline.errors import InputError

CONTENDERS = wide.names([1, 4])


@pytest.fixture(scope="module")
def base() -> models.Classifier:
    torch.manual_seed(0)
    return models.mlp((1, 8, 8), 5, 0.5, hidden=(30, 40)).eval()


def inputs() -> torch.Tensor:
    return torch.randint(256, (20, 1, 8, 8), dtype=torch.uint8)


def scaling(rank: int, width: int) -> float:
    return width / 10 / rank


def trained(contender: str, base: models.Classifier) -> models.Classifier:
    """A contender after some steps."""
    torch.manual_seed(1)
    model = wide.untrained(contender, base, 0.0, scaling).train()
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    optimizer = torch.optim.Adam(weights, lr=0.01)
    images, labels = inputs(), torch.randint(5, (20,))
    for _ in range(5):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(images), labels).backward()
        optimizer.step()
    return model.eval()


def test_wide_network_is_the_published_one() -> None:
    model = models.mlp((1, 28, 28), 5, 0.5)
    assert models.trainable_parameters(model) == 2_797_005
    counts = {"full": 2_797_005, "last_layer": 10_005, "rank_1": 6_789, "rank_64": 434_496}
    for contender, count in counts.items():
        adapted = wide.untrained(contender, model, 0.1, scaling)
        assert models.trainable_parameters(adapted) == count


def test_halves_have_all_classes_and_none_twice() -> None:
    data = Labelled(np.arange(6)[:, None], np.array([0, 1, 2, 3, 2, 1]), list("abcd"), [0])
    first, second = wide.halves(data, [3, 1])
    assert (first.classes, second.classes) == (["d", "b"], ["a", "c"])
    assert first.labels.tolist() == [1, 0, 1]
    assert second.inputs[:, 0].tolist() == [0, 2, 4]


@pytest.mark.parametrize("first", [[0], [0, 0], [0, 4], [0, 1, 2]])
def test_other_than_half_of_the_classes_is_refused(first: list[int]) -> None:
    data = Labelled(np.zeros((4, 1)), np.arange(4), list("abcd"), [])
    with pytest.raises(InputError, match=r"wide_pretrain.classes is \[.*accepted is one half"):
        wide.halves(data, first)


@pytest.mark.parametrize("contender", CONTENDERS)
def test_contender_starts_from_the_base_and_comes_back(
    contender: str, base: models.Classifier, tmp_path: Path
) -> None:
    images = inputs()
    start = wide.untrained(contender, base, 0.0, scaling).eval()
    assert torch.equal(start(images), base(images)) == (contender != "last_layer")
    model = trained(contender, base)
    assert not torch.equal(model(images), base(images))
    wide.save(tmp_path, model)
    torch.testing.assert_close(wide.load(tmp_path, base)(images), model(images))
    kept = sum(file.stat().st_size for file in tmp_path.glob("*.safetensors"))
    assert kept == pytest.approx(4 * models.trainable_parameters(model), abs=1500)


def test_without_its_adapter_a_model_is_the_base_bit_for_bit(
    base: models.Classifier, tmp_path: Path
) -> None:
    wide.save(tmp_path, trained("rank_4", base))
    model = wide.load(tmp_path, base)
    adapters.set_strength(model, 0)
    images = inputs()
    assert torch.equal(model(images), base(images))
