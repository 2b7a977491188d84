"""Models: initialised, saved, given other heads."""

from pathlib import Path

import pytest
import torch

from pipeline.core import artifacts
from pipeline.core.errors import InputError
from pipeline.learning import models, networks


def digit_model() -> networks.Classifier:
    torch.manual_seed(0)
    return networks.cnn((1, 28, 28), 10, 0.1)


def test_model_comes_back_bit_for_bit(tmp_path: Path) -> None:
    model = networks.shape_cnn((3, 64, 64), 2, 0.2)
    models.save(tmp_path / "x", model)
    loaded = models.load(tmp_path / "x")
    images = torch.randint(256, (2, 3, 64, 64), dtype=torch.uint8)
    assert torch.equal(loaded(images), model.eval()(images))
    assert loaded.description == model.description
    assert not loaded.training


def test_file_that_is_no_model_of_ours_is_refused(tmp_path: Path) -> None:
    artifacts.save_tensors(tmp_path / "x", {}, {"kind": models.KIND, "network": "other"})
    with pytest.raises(InputError, match="x: not a model of this version"):
        models.load(tmp_path / "x")


@pytest.mark.parametrize(
    ("how", "spread"),
    [("he", (2 / 576) ** 0.5), ("xavier", (2 / 704) ** 0.5), ("default", 1 / 41.6)],
)
def test_initialisation_has_the_spread_of_its_paper(
    how: models.Initialisation, spread: float
) -> None:
    model = digit_model()
    models.initialise(model, how)
    weight = model.head.get_submodule("dense_1").weight
    assert isinstance(weight, torch.Tensor)
    assert float(weight.detach().std()) == pytest.approx(spread, rel=0.02)
    again = digit_model()
    models.initialise(again, how)
    assert all(map(torch.equal, model.parameters(), again.parameters()))


def test_another_head_leaves_the_trunk_as_it_is() -> None:
    base = digit_model()
    head = networks.dense_head((576, 10), 0.0)
    model = models.with_head(base, head)
    assert all(map(torch.equal, model.trunk.parameters(), base.trunk.parameters()))
    assert models.trainable_parameters(model) == 5770


def test_trunk_has_the_name_of_its_weights() -> None:
    one, same = digit_model(), digit_model()
    assert models.trunk_name(one.trunk) == models.trunk_name(same.trunk)
    next(same.trunk.parameters()).data[0] += 1
    assert models.trunk_name(one.trunk) != models.trunk_name(same.trunk)
