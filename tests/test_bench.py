"""The originals of the benchmark are of the published sizes."""

import numpy as np
import pytest
import torch

from bench import ours, torch_originals
from pipeline import models
from pipeline.models import trainable_parameters


def test_wide_network_has_the_published_parameters() -> None:
    assert trainable_parameters(torch_originals.wide_network(None)) == 2_797_005
    for rank, published in {1: 6_789, 8: 54_312, 64: 434_496}.items():
        assert trainable_parameters(torch_originals.wide_network(rank)) == published


def test_shapes_network_has_the_published_parameters() -> None:
    assert trainable_parameters(torch_originals.shapes_network(frozen=False)) == pytest.approx(
        33.6e6, rel=1e-3
    )
    assert torch_originals.shapes_network(frozen=True)(torch.zeros(1, 3, 256, 256)).shape == (1, 2)


def test_an_epoch_reads_every_image_once(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    access = torch_originals.Digits.__getitem__

    def note(digits: torch_originals.Digits, index: int) -> tuple[torch.Tensor, int]:
        seen.append(index)
        return access(digits, index)

    monkeypatch.setattr(torch_originals.Digits, "__getitem__", note)
    images = np.zeros((70, 1, 28, 28), np.uint8)
    torch_originals.sweep_epoch(images, np.zeros(70, np.int64), rank=1)
    assert sorted(seen) == list(range(70))


def test_operations_of_dense_layers_are_three_products_each_but_the_images_gradient() -> None:
    first, *others = 784 * 1000, 1000 * 2000, 2000 * 5
    expected = 2 * (2 * first + 3 * sum(others))
    assert ours.operations(models.mlp((1, 28, 28), 5, dropout=0.0)) == expected
