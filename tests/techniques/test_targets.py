"""Which layers LoRA adapts, and what is said of the rest."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pipeline.core.errors import InputError
from pipeline.learning import networks
from pipeline.learning.networks import Classifier
from pipeline.techniques import targets
from tests import foreign


def choose(
    model: Classifier, names: targets.Targets = "auto", r: int = 1, head_only: bool = False
) -> tuple[targets.Chosen, list[str]]:
    """The layers, and what is said."""
    lines: list[str] = []
    return targets.choose(model, names, r, head_only=head_only, say=lines.append), lines


class Bypassing(nn.Module):
    """Uses the weights of a layer without calling it, as some attention layers do."""

    def __init__(self) -> None:
        super().__init__()
        self.qkv = nn.Linear(12, 12)
        self.proj = nn.Linear(12, 12)

    def forward(self, features: Tensor) -> Tensor:
        projected: Tensor = self.proj(F.linear(features, self.qkv.weight, self.qkv.bias))
        return projected


def small(*layers: nn.Module) -> Classifier:
    trunk = nn.Sequential(networks.Pixels(), *layers)
    description = {"network": "timm", "shape": [3, 2, 2]}
    return Classifier(trunk, networks.dense_head((12, 4), 0.0), description)


def test_networks_of_our_own_are_adapted_in_the_head() -> None:
    model = networks.cnn((1, 28, 28), 10, 0.0)
    chosen, lines = choose(model)
    assert chosen.targets == ["head.dense_1", "head.dense_2", "head.output"]
    assert not chosen.in_trunk
    assert chosen.whole == []
    assert lines == []
    assert choose(foreign.classifier("residual"))[0].targets == ["head.output"]


def test_those_of_timm_where_it_is_usual_beside_the_whole_output() -> None:
    model = foreign.classifier("test_vit")
    chosen, _ = choose(model)
    assert chosen.in_trunk
    assert chosen.targets == [
        f"trunk.1.blocks.{block}.attn.{part}" for block in range(6) for part in ("qkv", "proj")
    ]
    assert chosen.whole == ["head.output"]
    resnet = foreign.classifier("test_resnet")
    convolutions = [n for n, layer in resnet.named_modules() if isinstance(layer, nn.Conv2d)]
    assert choose(resnet)[0] == (convolutions, ["head.output"])
    chosen, _ = choose(networks.cnn((1, 28, 28), 10, 0.0), ["trunk.1"])
    assert chosen == (["trunk.1"], ["head.output"])


def test_timm_with_hidden_layers_in_its_head_is_adapted_there() -> None:
    model = foreign.classifier("test_vit")
    model.head = networks.dense_head((64, 8, 4), 0.0)
    assert choose(model)[0] == (["head.dense_1", "head.output"], [])


def test_names_or_their_last_parts_mean_layers_as_in_peft() -> None:
    model = foreign.classifier("test_vit")
    assert choose(model, ["1.mlp.fc1"])[0].targets == ["trunk.1.blocks.1.mlp.fc1"]
    both, _ = choose(model, ["fc1", "output"])
    assert len(both.targets) == 7
    assert both.in_trunk
    assert both.whole == []  # the head has an adapter of its own
    assert choose(model, ["head.output"], head_only=True)[0] == (["head.output"], [])


def test_unknown_names_and_those_of_the_trunk_where_there_are_features_are_refused() -> None:
    model = networks.cnn((1, 28, 28), 10, 0.0)
    with pytest.raises(
        InputError, match=r"named 'conv'; accepted: trunk\.1, .*, dense_1, dense_2, "
    ):
        choose(model, ["conv"])
    with pytest.raises(InputError, match=r"trunk\.1 lies in the trunk, .* accepted: head\.dense_1"):
        choose(model, ["output", "trunk.1"], head_only=True)
    chosen, _ = choose(foreign.classifier("test_vit"), head_only=True)
    assert chosen == (["head.output"], [])


def test_what_cannot_be_adapted_is_passed_over_and_said() -> None:
    grouped = nn.Conv2d(3, 3, 1, groups=3)
    model = small(nn.Conv2d(3, 3, 1), grouped, nn.Conv2d(3, 3, 1, dilation=2), nn.Flatten())
    chosen, lines = choose(model)
    assert chosen.targets == ["trunk.1"]
    assert lines == ["not adapted: trunk.2 (3 groups), trunk.3 (dilated)"]
    with pytest.raises(InputError, match=r"no target can be adapted: trunk\.2 \(3 groups\)"):
        choose(model, ["trunk.2"])


def test_a_layer_that_is_never_called_is_passed_over_and_said() -> None:
    model = small(nn.Flatten(), Bypassing())
    chosen, lines = choose(model, ["qkv", "proj"])
    assert chosen.targets == ["trunk.2.proj"]
    assert lines == ["not adapted: trunk.2.qkv (not called)"]


def test_a_rank_above_what_a_layer_can_have_is_said_and_above_all_refused() -> None:
    model = networks.cnn((1, 28, 28), 10, 0.0)
    assert choose(model, r=10)[1] == []
    assert choose(model, r=64)[1] == ["rank 64: head.output can have 10 at most"]
    with pytest.raises(InputError, match="rank 129 is above 128, what the targets can have"):
        choose(model, r=129)
    first, lines = choose(foreign.classifier("residual"), ["trunk.1", "trunk.4"], r=5)
    assert first.targets == ["trunk.1", "trunk.4"]  # 4 × 27 and 8 × 36
    assert lines == ["rank 5: trunk.1 can have 4 at most"]


def test_choosing_leaves_the_model_as_it_was() -> None:
    model = foreign.classifier("test_resnet").train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    choose(model)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert not any(layer._forward_hooks for layer in model.modules())
