"""LoReFT."""

import pytest
import torch
from torch import nn

from pipeline.core.errors import InputError
from pipeline.learning import loreft
from pipeline.learning.loreft import Edited
from pipeline.learning.networks import dense_head


def head() -> nn.Sequential:
    torch.manual_seed(0)
    return dense_head((6, 8, 3), 0.0).eval()


def edited(layer: str) -> nn.Sequential:
    """A head with an edit that has been moved away from where it starts."""
    model = head()
    loreft.edit(model, layer, 2)
    optimizer = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], 0.1)
    for _ in range(5):
        optimizer.zero_grad()
        model(torch.randn(20, 6)).square().sum().backward()
        optimizer.step()
    return model


@pytest.mark.parametrize("layer", ["dense_1", "output"])
def test_new_edit_changes_nothing_bit_for_bit(layer: str) -> None:
    model, inputs = head(), torch.randn(50, 6)
    loreft.edit(model, layer, 2)
    assert torch.equal(model(inputs), head()(inputs))
    loreft.fold(model)
    assert torch.equal(model(inputs), head()(inputs))


@pytest.mark.parametrize("layer", ["dense_1", "output"])
def test_edit_is_the_papers_and_folds_into_the_layer(layer: str) -> None:
    model, inputs = edited(layer), torch.randn(50, 6)
    part = model.get_submodule(layer)
    assert isinstance(part, Edited)
    rows = part.rows
    torch.testing.assert_close(rows @ rows.T, torch.eye(2), atol=1e-5, rtol=0)
    hidden = inputs if layer == "dense_1" else model[:-1](inputs)
    changed = hidden + (part.source(hidden) - hidden @ rows.T) @ rows
    torch.testing.assert_close(part(hidden), part.layer(changed), atol=1e-4, rtol=1e-4)
    before = model(inputs)
    assert not torch.allclose(before, head()(inputs), atol=0.1)
    loreft.fold(model)
    assert {type(layer) for layer in model if list(layer.parameters())} == {nn.Linear}
    torch.testing.assert_close(model(inputs), before, atol=1e-4, rtol=1e-4)


def test_base_stays_frozen() -> None:
    changed = edited("output").state_dict()
    before = head().state_dict()
    assert torch.equal(changed["output.layer.weight"], before["output.weight"])
    assert torch.equal(changed["dense_1.weight"], before["dense_1.weight"])


@pytest.mark.parametrize(
    ("layer", "rank", "message"),
    [("dense_9", 2, "accepted: dense_1, output"), ("output", 9, "rank 9 is above 8")],
)
def test_what_cannot_be_edited_is_refused(layer: str, rank: int, message: str) -> None:
    with pytest.raises(InputError, match=message):
        loreft.edit(head(), layer, rank)
