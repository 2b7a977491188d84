"""Trunks of timm."""

import subprocess
import sys
from typing import Any

import pytest
import timm
import torch

from pipeline.core.errors import InputError
from pipeline.learning import backbones, models, networks
from pipeline.learning.grown import Grown, grown
from tests.project import ROOT

TESTED = ("test_resnet", "test_vit")


def brought(name: str, classes: int, shape: tuple[int, ...]) -> tuple[Any, networks.Classifier]:
    """A network of timm, and the same as a trunk and a head."""
    torch.manual_seed(1)
    model: Any = timm.create_model(name, num_classes=classes).eval()
    description = backbones.described(model)
    trunk, head = backbones.divided(model, description)
    built = models.build(description | {"shape": shape, "classes": classes, "dropout": 0.0})
    built.trunk.get_submodule("2").load_state_dict(trunk.state_dict())
    built.head.get_submodule("output").load_state_dict(head.state_dict())
    return model, built.eval()


def normalised(model: Any, images: torch.Tensor) -> torch.Tensor:
    mean, std = (torch.tensor(model.pretrained_cfg[key]).view(3, 1, 1) for key in ("mean", "std"))
    return (images.float() / 255 - mean) / std


@pytest.mark.parametrize("name", TESTED)
def test_logits_are_those_of_timm_bit_for_bit(name: str) -> None:
    model, built = brought(name, 9, (3, 160, 160))
    images = torch.randint(256, (3, 3, 160, 160), dtype=torch.uint8)
    with torch.no_grad():
        assert torch.equal(built(images), model(normalised(model, images)))


@pytest.mark.parametrize("name", TESTED)
def test_description_makes_the_same_network_again(name: str) -> None:
    _, built = brought(name, 4, (3, 160, 160))
    again = models.build(built.description)
    assert again.description == built.description
    again.load_state_dict(built.state_dict())
    assert models.trunk_name(again.trunk) == models.trunk_name(built.trunk)


def test_network_of_one_size_takes_images_of_another_and_grey_ones_in_its_colours() -> None:
    model, built = brought("test_vit", 4, (1, 40, 40))
    grey = torch.full((2, 1, 40, 40), 51, dtype=torch.uint8)
    large = torch.full((2, 3, 160, 160), 51, dtype=torch.uint8)
    with torch.no_grad():
        torch.testing.assert_close(built(grey), model(normalised(model, large)))


def test_network_of_any_size_takes_images_as_they_are() -> None:
    model, built = brought("test_resnet", 4, (3, 64, 64))
    images = torch.randint(256, (2, 3, 64, 64), dtype=torch.uint8)
    with torch.no_grad():
        assert torch.equal(built(images), model(normalised(model, images)))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("resnet18s", "is 'resnet18s', a network neither of timm nor from here; did you mean resn"),
        ("residul", "did you mean residual"),
        ("resnet18.a9_in1k", "but timm has a1_in1k, .*of it"),
        ("", "here: auto, cnn"),
    ],
)
def test_unknown_network_is_refused_with_those_that_are_close(name: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        backbones.create(name)


def test_network_with_two_classifiers_is_refused() -> None:
    model = timm.create_model("deit_tiny_distilled_patch16_224")
    with pytest.raises(InputError, match="not one linear layer but Linear and Linear"):
        backbones.divided(model, backbones.described(model))


def test_network_that_computes_behind_its_classifier_is_refused() -> None:
    model: Any = timm.create_model("test_resnet")
    model.register_forward_hook(lambda module, inputs, outputs: 2 * outputs)
    with pytest.raises(InputError, match="more is computed behind or beside it"):
        backbones.divided(model, backbones.described(model))


def test_images_that_a_network_does_not_take_are_refused() -> None:
    description = backbones.described(timm.create_model("test_resnet"))
    description["preprocessing"]["channels"] = description["arguments"]["in_chans"] = 1
    with pytest.raises(InputError, match=r"takes 1 channels.*have 3; data\.channels"):
        models.build(description | {"shape": (3, 32, 32), "classes": 2, "dropout": 0.0})


def test_rows_that_were_there_keep_their_bits_beside_new_ones() -> None:
    torch.manual_seed(0)
    last = torch.nn.Linear(96, 9)
    layer = Grown(96, 9, 10)
    layer.load_state_dict({
        "weight": torch.cat([last.weight, torch.randn(1, 96)]),
        "bias": torch.cat([last.bias, torch.zeros(1)]),
    })  # fmt: skip
    inputs = torch.randn(700, 96)
    assert torch.equal(layer(inputs)[:, :9], last(inputs))
    model = grown(networks.residual((3, 16, 16), 10, 0.0), 9)
    assert isinstance(models.build(model.description).head.get_submodule("output"), Grown)


def test_own_networks_import_no_timm() -> None:
    program = (
        "import sys; from importlib import import_module; from pipeline.learning import models\n"
        "for name in ('weights', 'pretrain', 'features'):\n"
        "    import_module(f'pipeline.new_class.stages.{name}')\n"
        "models.build({'network': 'cnn', 'shape': [1, 28, 28], 'classes': 2, 'dropout': 0.0})\n"
        "assert 'torch' in sys.modules and 'timm' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True)
