"""The networks."""

import pytest
import torch
from torch import nn

from pipeline.learning import models, networks
from pipeline.learning.networks import Classifier


def digit_model() -> Classifier:
    torch.manual_seed(0)
    return networks.cnn((1, 28, 28), 10, 0.1)


def test_digit_network_is_the_published_one() -> None:
    model = digit_model()
    assert models.trainable_parameters(model) == 147_402
    assert models.trainable_parameters(model.head) == 91_658
    images = torch.randint(256, (5, 1, 28, 28), dtype=torch.uint8)
    assert model.trunk(images).shape == (5, 576)
    assert model(images).shape == (5, 10)


def test_relu_after_pooling_is_the_same_function_as_before_it() -> None:
    model = digit_model()
    layers = list(model.trunk.children())
    published = nn.Sequential(
        layers[0], layers[1], nn.ReLU(), layers[2], layers[4], nn.ReLU(), layers[5], *layers[7:]
    )
    images = torch.randint(256, (5, 1, 28, 28), dtype=torch.uint8)
    assert torch.equal(published(images), model.trunk(images))


def test_pixels_are_scaled_once() -> None:
    images = torch.tensor([0, 51, 255], dtype=torch.uint8)
    scaled = networks.Pixels()(images)
    torch.testing.assert_close(scaled, torch.tensor([0.0, 0.2, 1.0]))
    assert torch.equal(networks.Pixels()(scaled), scaled)


def test_residual_network() -> None:
    torch.manual_seed(0)
    model = networks.residual((3, 32, 32), 9, 0.0)
    assert models.trainable_parameters(model) == 412_825
    for size in (8, 32, 50):
        images = torch.randint(256, (5, 3, size, size), dtype=torch.uint8)
        assert model.trunk(images).shape == (5, 128)


def test_frozen_trunk_keeps_its_batch_statistics() -> None:
    model = networks.residual((3, 16, 16), 4, 0.0)
    images = torch.randint(256, (5, 3, 16, 16), dtype=torch.uint8)

    def moved() -> bool:
        before = models.trunk_name(model.trunk)
        model.train()(images)
        return models.trunk_name(model.trunk) != before

    assert moved()
    model.trunk.requires_grad_(False)
    assert not moved()
    assert model.head.training


@pytest.mark.parametrize(
    "model",
    [
        networks.cnn((1, 28, 28), 10, 0.1),
        networks.shape_cnn((3, 64, 64), 2, 0.0),
        networks.mlp((1, 8, 8), 5, 0.5, hidden=(30, 40)),
        networks.residual((3, 16, 16), 4, 0.2, hidden=(20,)),
    ],
    ids=lambda model: model.description["network"],
)
def test_description_makes_the_same_network_again(model: Classifier) -> None:
    again = models.build(model.description)
    assert again.description == model.description
    assert {name: weight.shape for name, weight in again.state_dict().items()} == {
        name: weight.shape for name, weight in model.state_dict().items()
    }
