"""What a training changed: stored beside its base, and put together with it again."""

from copy import deepcopy
from pathlib import Path

import pytest
import torch

from pipeline.core import artifacts
from pipeline.core.errors import InputError
from pipeline.learning import changes, models, networks
from pipeline.learning.networks import Classifier

FILE = "weights.safetensors"
HEAD = {f"head.{layer}" for layer in ("dense_1", "dense_2", "output")}


@pytest.fixture
def base() -> Classifier:
    torch.manual_seed(0)
    return networks.cnn((1, 28, 28), 10, 0.1)


def changed(base: Classifier, *layers: str) -> Classifier:
    """A copy of a model, some layers of which have other weights."""
    model = deepcopy(base)
    for layer in layers:
        for weight in model.get_submodule(layer).parameters():
            weight.data += torch.randn_like(weight)
    return model.eval()


@pytest.mark.parametrize(
    "layers", [set(), {"head.output"}, HEAD, {"trunk.1"}, HEAD | {f"trunk.{n}" for n in (1, 4, 7)}]
)
def test_what_differs_is_stored_and_comes_back_bit_for_bit(
    base: Classifier, tmp_path: Path, layers: set[str]
) -> None:
    model = changed(base, *layers)
    changes.save(tmp_path, model, base)
    stored, _ = artifacts.load_tensors(tmp_path / FILE, changes.KIND)
    assert set(stored) == {f"{layer}.{part}" for layer in layers for part in ("weight", "bias")}
    loaded = changes.load(tmp_path, base)
    for name, weight in model.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], weight), name
    assert not loaded.training


@pytest.mark.parametrize("hidden", [[128, 128], [50], [128, 30, 20]])
def test_another_head_comes_back_with_its_trunk(
    base: Classifier, tmp_path: Path, hidden: list[int]
) -> None:
    model = models.build(base.description | {"hidden": hidden, "classes": 4}).eval()
    model.trunk.load_state_dict(base.trunk.state_dict())
    changes.save(tmp_path, model, base)
    stored, _ = artifacts.load_tensors(tmp_path / FILE, changes.KIND)
    assert all(name.startswith("head.") for name in stored)
    loaded = changes.load(tmp_path, base)
    images = torch.randint(256, (3, 1, 28, 28), dtype=torch.uint8)
    assert torch.equal(loaded(images), model(images))
    assert loaded.description == model.description


def test_base_stays_as_it_is(base: Classifier, tmp_path: Path) -> None:
    before = deepcopy(base.state_dict())
    changes.save(tmp_path, changed(base, "head.output"), base)
    changes.load(tmp_path, base).head.get_parameter("dense_1.weight").data.zero_()
    assert all(map(torch.equal, base.state_dict().values(), before.values()))


def test_change_of_another_trunk_is_refused(base: Classifier, tmp_path: Path) -> None:
    changes.save(tmp_path, changed(base, "head.output"), base)
    with pytest.raises(InputError, match=f"{FILE}: changes another trunk"):
        changes.load(tmp_path, changed(base, "trunk.1"))


def test_change_of_another_head_is_refused(base: Classifier, tmp_path: Path) -> None:
    changes.save(tmp_path, changed(base, "head.output"), base)
    other = models.with_head(base, networks.dense_head((576, 10), 0.0))
    with pytest.raises(InputError, match=f"{FILE}: not of this base"):
        changes.load(tmp_path, other)
