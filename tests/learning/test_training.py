"""The training loop."""

from itertools import pairwise, product
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pipeline.core.errors import DivergenceError
from pipeline.core.labelled import Labelled
from pipeline.learning import loading, networks, training
from pipeline.learning.training import Recipe
from pipeline.learning.validation import Validation

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


def validation() -> Validation:
    inputs, labels = blobs(90)
    return Validation(inputs, labels, labels == 2, "overall")


def fitted(dropout: float = 0.2, **changes: Any) -> tuple[nn.Module, training.Curve]:
    torch.manual_seed(3)
    model = networks.dense_head((2, 16, 3), dropout)
    recipe = Recipe.model_validate(RECIPE | changes)
    return model, training.fit(model, *blobs(), recipe, validation())


@pytest.mark.parametrize(
    ("optimizer", "schedule"),
    list(product(["adam", "adamw", "sgd", "rmsprop", "adagrad"], ["constant", "one_cycle"])),
)
def test_learns_and_repeats_to_the_bit(optimizer: str, schedule: str) -> None:
    rate = 0.1 if optimizer == "adagrad" else 0.01  # whose steps only become smaller
    model, curve = fitted(optimizer=optimizer, schedule=schedule, learning_rate=rate)
    again, same = fitted(optimizer=optimizer, schedule=schedule, learning_rate=rate)
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


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_numbers_that_are_not_finite_end_a_training(optimizer: str) -> None:
    with pytest.raises(DivergenceError, match=r"not finite any more at step \d+, learning rate"):
        fitted(learning_rate=1e30, schedule="constant", optimizer=optimizer)


def test_frozen_weights_stay() -> None:
    torch.manual_seed(0)
    model = networks.dense_head((2, 16, 3), 0.0)
    model.get_submodule("dense_1").requires_grad_(False)
    before = model.get_submodule("dense_1").state_dict()["weight"].clone()
    training.fit(model, *blobs(), Recipe.model_validate(RECIPE), validation())
    assert torch.equal(model.get_submodule("dense_1").state_dict()["weight"], before)


def test_penalty_pulls() -> None:
    def far(weight: float) -> float:
        torch.manual_seed(0)
        model = networks.dense_head((2, 16, 3), 0.0)
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


def test_l1_adds_its_subgradient_and_clip_bounds_the_norm() -> None:
    settings = {"epochs": 1, "batch": 300, "optimizer": "sgd", "schedule": "constant"}

    def one_step(**changes: Any) -> tuple[Tensor, Tensor]:
        """The weights before a training of a single step, and the gradient that it followed."""
        torch.manual_seed(3)
        model = networks.dense_head((2, 16, 3), 0.0)
        before = nn.utils.parameters_to_vector(model.parameters()).detach().clone()
        recipe = Recipe.model_validate(RECIPE | settings | changes)
        training.fit(model, *blobs(), recipe, validation())
        after = nn.utils.parameters_to_vector(model.parameters()).detach()
        return before, (before - after) / (1.9 * recipe.learning_rate)  # Nesterov's first step

    weights, plain = one_step()
    _, shrunk = one_step(l1=0.1)
    _, clipped = one_step(clip=0.01)
    torch.testing.assert_close(shrunk - plain, 0.1 * weights.sign(), rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(clipped, plain * 0.01 / plain.norm(), rtol=1e-2, atol=1e-5)


def test_a_loss_of_its_own_sees_the_logits_of_the_rows_that_it_is_told() -> None:
    inputs, labels = blobs()
    states, seen = [], []

    def loss(logits: Tensor, chosen: Tensor) -> Tensor:
        seen.append(chosen)
        return F.cross_entropy(logits, labels[chosen])

    for given in (None, loss):
        torch.manual_seed(3)
        model = networks.dense_head((2, 16, 3), 0.2)
        recipe = Recipe.model_validate(RECIPE | {"epochs": 1})
        training.fit(model, inputs, labels, recipe, validation(), loss=given)
        states.append(model.state_dict())
    assert all(map(torch.equal, states[0].values(), states[1].values()))
    assert torch.equal(torch.cat(seen).sort().values, torch.arange(len(inputs)))


def test_last_steps_are_validated_whatever_the_interval() -> None:
    torch.manual_seed(0)
    model = networks.dense_head((2, 3), 0.0)
    curve = training.fit(
        model, *blobs(), Recipe.model_validate(RECIPE | {"epochs": 1}), validation(), every=4
    )
    assert [row["step"] for row in curve] == [4, 8, 10]


def test_prediction_leaves_the_mode_and_does_not_see_the_batches(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = networks.dense_head((2, 16, 3), 0.5).train()
    inputs, _ = blobs()
    expected = training.predict(model, inputs)
    monkeypatch.setattr(training, "MOST", 7)
    torch.testing.assert_close(training.predict(model, inputs), expected)
    assert model.training


@pytest.mark.parametrize(
    ("side", "channels", "most"), [(28, 1, 1000), (28, 32, 79), (128, 1, 122), (128, 16, 7)]
)
def test_fewer_are_predicted_at_a_time_where_a_layer_makes_much_of_them(
    side: int, channels: int, most: int
) -> None:
    seen: list[int] = []
    model = nn.Sequential(nn.Conv2d(1, channels, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    model[0].register_forward_hook(lambda module, inputs, output: seen.append(len(output)))
    predicted = training.predict(model, torch.zeros(1010, 1, side, side))
    assert max(seen) == most
    assert len(predicted) == 1010
    training.predict(model, torch.zeros(1, 1, side, side))
    assert seen[-1] == 1
    assert len(model[0]._forward_hooks) == 1


@pytest.mark.parametrize(("least", "steps"), [(0, 10), (10, 10), (11, 20), (25, 30)])
def test_an_epoch_goes_through_the_images_until_it_has_steps_enough(least: int, steps: int) -> None:
    _, curve = fitted(epochs=2, least_steps=least, patience=50)
    assert [(row["epoch"], row["step"]) for row in curve] == [(1, steps), (2, 2 * steps)]


def test_parts_are_one_after_the_other_wherever_they_are() -> None:
    inputs, labels = (array.numpy() for array in blobs(50))
    sizes = [0, 20, 21, 50]
    parts = [
        Labelled(inputs[start:end], labels[start:end], ["a", "b", "c"], [])
        for start, end in pairwise(sizes)
    ]
    rows, of_rows = loading.join(CPU, *parts)
    assert len(rows) == 50
    assert of_rows.tolist() == labels.tolist()
    chosen = torch.randperm(50)
    assert torch.equal(rows[chosen], torch.from_numpy(inputs)[chosen])
    whole, of_whole = loading.tensors(CPU, parts[0])
    assert torch.equal(whole, torch.from_numpy(inputs[:20]))
    assert of_whole.tolist() == labels[:20].tolist()


def test_training_on_rows_is_that_on_a_tensor() -> None:
    inputs, labels = blobs()
    states = []
    for given in (inputs, loading.Rows(inputs[:100], inputs[100:])):
        torch.manual_seed(3)
        model = networks.dense_head((2, 16, 3), 0.2)
        training.fit(model, given, labels, Recipe.model_validate(RECIPE), validation())
        states.append(model.state_dict())
    assert all(map(torch.equal, states[0].values(), states[1].values()))


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
    model = networks.dense_head((2, 16, 3), dropout=0.0)
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
