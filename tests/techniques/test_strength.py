"""How far a model goes from its base."""

from copy import deepcopy

import pytest
import torch
from torch import nn

from pipeline.learning import networks, training
from pipeline.learning.validation import Validation
from pipeline.techniques import adapters, strength


@pytest.fixture
def base() -> nn.Module:
    torch.manual_seed(1)
    return networks.dense_head((4, 16, 3), 0.0).eval()


@pytest.fixture
def tuned(base: nn.Module) -> nn.Module:
    """The base with an adapter whose update isn't zero."""
    model = deepcopy(base)
    adapters.wrap(model, ["dense_1", "output"], r=2, alpha=4.0, dropout=0.0)
    for _, layer in adapters.adapted(model):
        nn.init.normal_(layer.lora_B.weight)
    return model.eval()


def merged(model: nn.Module) -> nn.Module:
    plain = deepcopy(model)
    adapters.merge(plain)
    return plain


INPUTS = torch.randn(200, 4, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("value", [0.0, 0.5, 1.0, 2.0])
def test_between_base_and_merged_lies_the_adapter_at_that_strength(
    base: nn.Module, tuned: nn.Module, value: float
) -> None:
    between = strength.interpolate(base, merged(tuned), value)
    adapters.set_strength(tuned, value)
    torch.testing.assert_close(between(INPUTS), tuned(INPUTS), rtol=0, atol=1e-5)


def test_none_is_the_base_bit_for_bit(base: nn.Module, tuned: nn.Module) -> None:
    before = deepcopy(base)
    same = strength.interpolate(base, merged(tuned), 0.0)
    strength.interpolate(base, merged(tuned), 0.5)
    for model in (same, base):
        assert all(map(torch.equal, model.parameters(), before.parameters()))


def test_best_on_validation_data_is_chosen_and_of_equals_the_first(
    base: nn.Module, tuned: nn.Module
) -> None:
    target = strength.interpolate(base, merged(tuned), 0.75)
    labels = training.predict(target, INPUTS).argmax(1)
    watched = Validation(INPUTS, labels, labels == 2, "overall")
    tried = [0.0, 0.75, 2.0]
    assert strength.choose(base, merged(tuned), tried, watched) == 0.75
    assert strength.choose(base, base, tried, watched) == 0.0
