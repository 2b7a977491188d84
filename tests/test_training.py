"""The training loop and what goes into it."""

from itertools import product
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torchvision.transforms import v2

from pipeline import compute, models, training
from pipeline.datasets import Labelled
from pipeline.training import Recipe
from pipeline.validation import Objective, Validation

CPU = torch.device("cpu")
RECIPE: dict[str, Any] = {
    "epochs": 5,
    "batch": 32,
    "learning_rate": 0.01,
    "optimizer": "adamw",
    "schedule": "one_cycle",
    "weight_decay": 0.0,
    "label_smoothing": 0.0,
    "patience": 5,
}


def blobs(count: int = 300) -> tuple[Tensor, Tensor]:
    """Three classes around three points."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(count) % 3
    centres = torch.tensor([[2.0, 0.0], [-2.0, 0.0], [0.0, 3.0]])
    return centres[labels] + torch.randn(count, 2, generator=generator), labels


def validation(objective: Objective = "overall") -> Validation:
    inputs, labels = blobs(90)
    return Validation(inputs, labels, labels == 2, objective)


def fitted(dropout: float = 0.2, **changes: Any) -> tuple[nn.Module, training.Curve]:
    torch.manual_seed(3)
    model = models.dense_head((2, 16, 3), dropout)
    recipe = Recipe.model_validate(RECIPE | changes)
    return model, training.fit(model, *blobs(), recipe, validation())


@pytest.mark.parametrize(
    ("optimizer", "schedule"),
    list(product(["adam", "adamw", "sgd", "rmsprop"], ["constant", "one_cycle"])),
)
def test_learns_and_repeats_to_the_bit(optimizer: str, schedule: str) -> None:
    model, curve = fitted(optimizer=optimizer, schedule=schedule)
    again, same = fitted(optimizer=optimizer, schedule=schedule)
    assert curve == same
    assert all(map(torch.equal, model.state_dict().values(), again.state_dict().values()))
    assert max(row["accuracy"] for row in curve) > 0.85


def test_best_weights_are_kept() -> None:
    model, curve = fitted(learning_rate=1.0, epochs=12, patience=12, schedule="constant")
    measured = validation().measure(training.predict(model, validation().inputs))
    best = max((row["accuracy"], -row["loss"]) for row in curve)
    assert (measured["accuracy"], -measured["loss"]) == best
    assert best != (curve[-1]["accuracy"], -curve[-1]["loss"])


def test_patience_ends_the_training() -> None:
    _, curve = fitted(learning_rate=3.0, epochs=200, patience=3, schedule="constant")
    scores = [(row["accuracy"], -row["loss"]) for row in curve]
    assert len(curve) < 200
    assert len(curve) == scores.index(max(scores)) + 1 + 3


def test_frozen_weights_stay() -> None:
    torch.manual_seed(0)
    model = models.dense_head((2, 16, 3), 0.0)
    model.get_submodule("dense_1").requires_grad_(False)
    before = model.get_submodule("dense_1").state_dict()["weight"].clone()
    training.fit(model, *blobs(), Recipe.model_validate(RECIPE), validation())
    assert torch.equal(model.get_submodule("dense_1").state_dict()["weight"], before)


def test_penalty_pulls() -> None:
    def far(weight: float) -> float:
        torch.manual_seed(0)
        model = models.dense_head((2, 16, 3), 0.0)
        output = model.get_submodule("output")
        assert isinstance(output, nn.Linear)
        training.fit(
            model,
            *blobs(),
            Recipe.model_validate(RECIPE),
            validation(),
            penalty=lambda: weight * output.weight.square().sum(),
        )
        return float(output.weight.detach().square().sum())

    assert far(1.0) < 0.5 * far(0.0)


def test_last_steps_are_validated_whatever_the_interval() -> None:
    torch.manual_seed(0)
    model = models.dense_head((2, 3), 0.0)
    curve = training.fit(
        model, *blobs(), Recipe.model_validate(RECIPE | {"epochs": 1}), validation(), every=4
    )
    assert [row["step"] for row in curve] == [4, 8, 10]


def test_objectives() -> None:
    measured = {"accuracy": 0.9, "accuracy_old": 0.95, "accuracy_new": 0.7, "loss": 0.1}
    assert validation("overall").score(measured) == (0.9, -0.1)
    assert validation("worst").score(measured) == (0.7, -0.1)


def test_measured_is_what_it_says() -> None:
    logits = torch.eye(3)[torch.arange(90) % 3]
    logits[:30] = torch.tensor([1.0, 0.0, 0.0])
    measured = validation().measure(logits)
    assert measured["accuracy"] == pytest.approx((60 + 10) / 90)
    assert measured["accuracy_new"] == pytest.approx(20 / 30)
    assert measured["accuracy_old"] == pytest.approx(50 / 60)


def test_affine_of_nothing_is_the_image_and_moves_are_those_of_torchvision() -> None:
    images = torch.randint(256, (4, 1, 28, 28), dtype=torch.uint8)
    same = training.random_affine(images, rotation=0.0, scale=0.0, translation=0.0)
    torch.testing.assert_close(same, images / 255, atol=1e-5, rtol=0)
    torch.manual_seed(0)
    turned = training.random_affine(images.float() / 255, 0.3, 0.0, 0.0)
    torch.manual_seed(0)
    angles = (torch.rand(4, 4)[0] * 2 - 1) * 0.3
    for image, angle, ours in zip(images / 255, angles, turned, strict=True):
        theirs = v2.functional.rotate(
            image, float(np.degrees(angle)), interpolation=v2.InterpolationMode.BILINEAR
        )
        torch.testing.assert_close(ours, theirs, atol=2e-3, rtol=0)


def test_affine_stays_within_its_bounds() -> None:
    torch.manual_seed(0)
    dot = torch.zeros(500, 1, 29, 29)
    dot[:, :, 14, 14] = 1
    moved = training.random_affine(dot, 0.0, 0.0, translation=3.0)
    places = moved.flatten(1).argmax(1)
    offsets = torch.stack([places // 29, places % 29]) - 14
    assert offsets.abs().max() == 3
    assert moved.min() >= 0


def test_eight_views_are_all_there_are() -> None:
    image = torch.arange(9).reshape(1, 1, 3, 3)
    views = {tuple(training.turned(image, view).flatten().tolist()) for view in range(8)}
    assert len(views) == 8
    torch.manual_seed(0)
    drawn = {tuple(training.random_turn(image).flatten().tolist()) for _ in range(200)}
    assert drawn == views


def test_join_puts_parts_one_after_the_other() -> None:
    part = Labelled(np.ones((2, 3), np.float32), np.array([0, 1]), ["a", "b"], [])
    inputs, labels = training.join(CPU, part, part)
    assert inputs.shape == (4, 3)
    assert labels.tolist() == [0, 1, 0, 1]


@pytest.mark.parametrize(
    ("wanted", "instructions", "expected"),
    [
        ("highest", {"avx512_bf16": True}, torch.float32),
        ("medium", {"avx512_bf16": True}, torch.bfloat16),
        ("medium", {"avx512_bf16": False}, torch.float32),
    ],
)
def test_half_precision_is_for_products_that_may_be_and_can_be(
    wanted: str,
    instructions: dict[str, bool],
    expected: torch.dtype,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: instructions)
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision(wanted)
    torch.manual_seed(3)
    model = models.dense_head((2, 16, 3), dropout=0.0)
    seen: set[tuple[bool, torch.dtype]] = set()

    def note(module: nn.Module, _: Any, logits: Tensor) -> None:
        seen.add((module.training, logits.dtype))

    def penalty() -> Tensor:
        assert not torch.is_autocast_enabled("cpu")
        return torch.zeros(())

    model.register_forward_hook(note)
    recipe = Recipe.model_validate(RECIPE)
    try:
        curve = training.fit(model, *blobs(), recipe, validation(), penalty=penalty)
    finally:
        torch.set_float32_matmul_precision(before)
    assert seen == {(True, expected), (False, torch.float32)}
    assert {weight.dtype for weight in model.parameters()} == {torch.float32}
    assert max(row["accuracy"] for row in curve) > 0.85


@pytest.mark.parametrize("able", [True, False])
def test_half_precision_is_for_a_gpu_that_can(able: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation=True: able)
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("medium")
    try:
        with compute.half_precision(torch.device("cuda")):
            assert torch.is_autocast_enabled("cuda") == able
            assert torch.get_autocast_dtype("cuda") == torch.bfloat16 or not able
    finally:
        torch.set_float32_matmul_precision(before)
