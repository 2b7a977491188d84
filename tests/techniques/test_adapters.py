"""LoRA, held against the PEFT library."""

import json
from copy import deepcopy
from pathlib import Path

import peft
import pytest
import torch
from torch import Tensor, nn

from pipeline.core.errors import InputError
from pipeline.learning import changes, models, networks
from pipeline.techniques import adapters, targets
from pipeline.techniques.strength import interpolate
from tests import foreign

LAYERS = ["head.dense_1", "head.dense_2", "head.output"]
TARGETS = [*([name] for name in LAYERS), LAYERS]


@pytest.fixture
def base() -> networks.Classifier:
    torch.manual_seed(1)
    return networks.cnn((1, 28, 28), 10, 0.0).eval()


@pytest.fixture
def images() -> Tensor:
    return torch.rand(6, 1, 28, 28, generator=torch.Generator().manual_seed(2))


def trained(base: networks.Classifier, targets: list[str], r: int = 4) -> networks.Classifier:
    """A copy of the base with adapters whose B isn't zero any more."""
    model = deepcopy(base)
    adapters.wrap(model, targets, r=r, alpha=8.0, dropout=0.0)
    for _, layer in adapters.adapted(model):
        nn.init.normal_(layer.lora_B.weight, std=0.05)
    return model.eval()


@pytest.mark.parametrize("targets", TARGETS)
def test_untrained_adapter_and_strength_zero_are_the_base_bit_for_bit(
    base: networks.Classifier, images: Tensor, targets: list[str]
) -> None:
    model = deepcopy(base)
    adapters.wrap(model, targets, r=4, alpha=4.0, dropout=0.5)
    assert torch.equal(model.eval()(images), base(images))
    changed = trained(base, targets)
    assert not torch.allclose(changed(images), base(images))
    adapters.set_strength(changed, 0.0)
    assert torch.equal(changed(images), base(images))


@pytest.mark.parametrize("r", [1, 2, 4, 10])
@pytest.mark.parametrize("targets", TARGETS)
def test_same_logits_and_count_as_peft(
    base: networks.Classifier, images: Tensor, targets: list[str], r: int
) -> None:
    ours = trained(base, targets, r)
    config = peft.LoraConfig(r=r, lora_alpha=8, target_modules=targets)
    theirs = peft.get_peft_model(deepcopy(base), config)
    peft.set_peft_model_state_dict(
        theirs,
        {
            f"base_model.model.{name}.{part}.weight": getattr(layer, part).weight
            for name, layer in adapters.adapted(ours)
            for part in ("lora_A", "lora_B")
        },
    )
    torch.testing.assert_close(ours(images), theirs.eval()(images), rtol=0, atol=1e-6)
    assert models.trainable_parameters(ours) == theirs.get_nb_trainable_parameters()[0]


@pytest.mark.parametrize("scaling", [2.0, 0.5])
@pytest.mark.parametrize("strength", [1.0, 0.6])
def test_saved_adapter_loads_in_peft_and_here(
    base: networks.Classifier, images: Tensor, tmp_path: Path, strength: float, scaling: float
) -> None:
    ours = trained(base, [LAYERS[0], LAYERS[2]])
    adapters.adapted(ours)[1][1].scaling = scaling  # PEFT has but one for all
    adapters.set_strength(ours, strength)
    adapters.save(tmp_path, ours)
    theirs = peft.PeftModel.from_pretrained(deepcopy(base), str(tmp_path)).eval()
    torch.testing.assert_close(ours(images), theirs(images), rtol=0, atol=1e-6)
    again = adapters.load(tmp_path, base)
    torch.testing.assert_close(again(images), ours(images), rtol=0, atol=1e-6)
    assert json.loads((tmp_path / "adapter_config.json").read_text())["peft_type"] == "LORA"


@pytest.mark.parametrize("targets", TARGETS)
@pytest.mark.parametrize("strength", [0.0, 0.5, 1.0, 2.0])
def test_merged_equals_unmerged(
    base: networks.Classifier, images: Tensor, targets: list[str], strength: float
) -> None:
    model = trained(base, targets)
    adapters.set_strength(model, strength)
    expected = model(images)
    adapters.merge(model)
    assert not adapters.adapted(model)
    torch.testing.assert_close(model(images), expected, rtol=0, atol=2e-6)


def test_only_the_adapters_train(base: networks.Classifier, images: Tensor) -> None:
    model = trained(base, [LAYERS[1]])
    model(images).sum().backward()
    changed = {name for name, value in model.named_parameters() if value.grad is not None}
    assert changed == {"head.dense_2.lora_A.weight", "head.dense_2.lora_B.weight"}


def test_adapter_of_another_model_is_refused(base: networks.Classifier, tmp_path: Path) -> None:
    adapters.save(tmp_path, trained(base, [LAYERS[1]]))
    other = deepcopy(base)
    next(other.trunk.parameters()).data[0] += 1
    with pytest.raises(InputError, match=r"adapter_model\.safetensors: changes another trunk"):
        adapters.load(tmp_path, other)
    small = models.with_head(base, networks.dense_head((576, 10), 0.0))
    with pytest.raises(InputError):
        adapters.load(tmp_path, small)


@pytest.mark.parametrize("low_rank", [True, False])
def test_whatever_was_saved_of_a_training_is_restored(
    base: networks.Classifier, images: Tensor, tmp_path: Path, low_rank: bool
) -> None:
    if low_rank:
        model = trained(base, [LAYERS[2]])
        adapters.save(tmp_path, model)
    else:
        model = models.with_head(base, networks.dense_head((576, 128, 128, 10), 0.0)).eval()
        changes.save(tmp_path, model, base)
    (tmp_path / "curve.csv").write_text("step")
    restored = adapters.restore(tmp_path, base)
    assert torch.equal(restored(images), model(images))
    assert bool(adapters.adapted(restored)) == low_rank
    stored = adapters.stored_bytes(tmp_path)
    assert stored == sum(file.stat().st_size for file in tmp_path.iterdir()) - len("step")
    assert stored == pytest.approx(4 * models.trainable_parameters(model), abs=2000)


def through_the_trunk(name: str) -> tuple[networks.Classifier, networks.Classifier]:
    """A network, and a copy with adapters on what is usual of its trunk, and its head changed."""
    base = foreign.classifier(name)
    usual: targets.Targets = "auto"
    if name == "residual":
        usual = ["trunk.1", "layers.0", "layers.3"]
    chosen = targets.choose(base, usual, 2)
    model = deepcopy(base)
    adapters.wrap(model, chosen.targets, r=2, alpha=4.0, dropout=0.0, whole=chosen.whole)
    assert torch.equal(model(foreign.images(2)), base(foreign.images(2)))
    for weight in model.parameters():
        if weight.requires_grad:
            nn.init.normal_(weight, std=0.05)
    return base, model.eval()


@pytest.mark.parametrize("strength", [1.0, 0.6])
@pytest.mark.parametrize("name", foreign.NAMES)
def test_trunk_and_head_load_in_peft_and_here(name: str, strength: float, tmp_path: Path) -> None:
    base, ours = through_the_trunk(name)
    adapters.set_strength(ours, strength)
    adapters.save(tmp_path, ours)
    images = foreign.images(4)
    expected = ours(images)
    theirs = peft.PeftModel.from_pretrained(deepcopy(base), str(tmp_path), is_trainable=True)
    assert theirs.get_nb_trainable_parameters()[0] == models.trainable_parameters(ours)
    torch.testing.assert_close(theirs.eval()(images), expected, rtol=1e-5, atol=1e-6)
    assert not torch.allclose(expected, base(images), rtol=0.01)
    again = adapters.load(tmp_path, base)
    assert torch.equal(again(images), expected)
    adapters.set_strength(again, 0.0)
    assert torch.equal(again(images), base(images))
    adapters.merge(ours)
    torch.testing.assert_close(ours(images), expected, rtol=1e-5, atol=1e-5)
    assert [*ours.state_dict()] == [*base.state_dict()]


@pytest.mark.parametrize("name", foreign.NAMES)
def test_half_the_strength_is_half_way_to_the_merged_model(name: str, tmp_path: Path) -> None:
    base, ours = through_the_trunk(name)
    adapters.save(tmp_path, ours)
    tuned = adapters.restore(tmp_path, base)
    adapters.merge(tuned)
    half = interpolate(base, tuned, 0.5)
    adapters.set_strength(ours, 0.5)
    images = foreign.images(4)
    torch.testing.assert_close(half(images), ours(images), rtol=1e-5, atol=1e-5)
