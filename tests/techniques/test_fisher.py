"""The Fisher information, and the penalty of elastic weight consolidation."""

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pipeline.core.errors import InputError
from pipeline.learning import networks
from pipeline.techniques.fisher import Fisher


def points(count: int, width: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(count, width, generator=generator), torch.arange(count) % 3


def test_of_a_logistic_regression_it_is_the_closed_form() -> None:
    inputs, labels = points(250, 4)
    torch.manual_seed(0)
    model = nn.Linear(4, 3)
    errors = (model(inputs).softmax(1) - F.one_hot(labels, 3)).detach().square()
    found = Fisher.of(model, inputs, labels).weights
    torch.testing.assert_close(found["weight"], errors.T @ inputs.square() / len(inputs))
    torch.testing.assert_close(found["bias"], errors.mean(0))


def test_of_images_it_is_the_mean_over_one_after_the_other() -> None:
    torch.manual_seed(0)
    model = networks.residual((1, 8, 8), 3, dropout=0.5, channels=(4, 4, 4, 4))
    images, labels = torch.rand(6, 1, 8, 8), torch.arange(6) % 3
    found = Fisher.of(model, images, labels).weights
    model.eval()
    sums = {name: torch.zeros_like(weight) for name, weight in model.named_parameters()}
    for image, label in zip(images, labels, strict=True):
        model.zero_grad()
        F.cross_entropy(model(image[None]), label[None]).backward()
        for name, weight in model.named_parameters():
            assert weight.grad is not None
            sums[name] += weight.grad.square() / len(images)
    torch.testing.assert_close(found, sums, rtol=1e-4, atol=1e-8)


def test_least_loss_is_where_gradient_and_penalty_balance() -> None:
    torch.manual_seed(0)
    model = nn.Linear(4, 1)
    importance = {name: torch.rand_like(weight) + 0.1 for name, weight in model.named_parameters()}
    start = {name: weight.detach().clone() for name, weight in model.named_parameters()}
    penalty = Fisher(importance).penalty(model, 3.0)
    assert penalty() == 0
    slopes = {name: torch.randn_like(weight) for name, weight in start.items()}
    optimizer = torch.optim.LBFGS(model.parameters(), max_iter=50, tolerance_grad=1e-9)

    def loss() -> Tensor:
        optimizer.zero_grad()
        pulled = [(slopes[name] * weight).sum() for name, weight in model.named_parameters()]
        value: Tensor = torch.stack(pulled).sum() + penalty()
        value.backward()
        return value

    for _ in range(5):
        optimizer.step(loss)
    for name, weight in model.named_parameters():
        expected = start[name] - slopes[name] / (3.0 * importance[name])
        torch.testing.assert_close(weight.detach(), expected, rtol=1e-3, atol=1e-4)


def test_what_is_frozen_is_not_held() -> None:
    model = nn.Linear(4, 3)
    model.bias.requires_grad_(False)
    penalty = Fisher({"weight": torch.ones(3, 4)}).penalty(model, 2.0)
    model.weight.data += 1
    torch.testing.assert_close(penalty(), torch.tensor(12.0))


def test_kept_file_comes_back_and_another_is_refused(tmp_path: Path) -> None:
    model = nn.Linear(4, 3)
    found = Fisher.of(model, *points(20, 4))
    found.save(tmp_path / "x", 7)
    loaded, images = Fisher.load(tmp_path / "x")
    assert images == 7
    assert all(torch.equal(loaded.weights[name], found.weights[name]) for name in found.weights)
    (tmp_path / "y").write_bytes(b"{}")
    with pytest.raises(InputError, match="cut short, or not a safetensors file"):
        Fisher.load(tmp_path / "y")
