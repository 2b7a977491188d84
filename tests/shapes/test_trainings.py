"""Trainings of the shapes' contenders side by side."""

from dataclasses import replace

import pytest
import torch

from pipeline.core.errors import InputError
from pipeline.core.labelled import Labelled
from pipeline.learning import networks
from pipeline.learning.compute import Compute
from pipeline.learning.training import Curve, Recipe
from pipeline.shapes import contenders, drawing, trainings
from pipeline.shapes.trainings import Training

COMPUTE = Compute(device="cpu", threads=2, reproducible=True)
RECIPE = Recipe(
    epochs=1,
    batch=8,
    learning_rate=0.003,
    optimizer="adamw",
    schedule="one_cycle",
    weight_decay=0.0,
    label_smoothing=0.0,
    patience=5,
)


@pytest.fixture(scope="module")
def base() -> networks.Classifier:
    torch.manual_seed(5)
    return networks.shape_cnn((3, 64, 64), 3, 0.1)


@pytest.fixture(scope="module")
def given() -> list[Training]:
    """One of every contender, on a seed of its own."""
    names = ["star", "pentagon"]
    images = Labelled(*drawing.images(names, 8, 64, 0), names, [], advice={})
    return [
        Training(contender, seed, images, images, RECIPE)
        for seed, contender in enumerate(contenders.ALL)
    ]


def learned(
    base: networks.Classifier, given: list[Training]
) -> list[tuple[dict[str, torch.Tensor], Curve]]:
    trained = trainings.run(base, given, COMPUTE, "transfer")
    return [(model.state_dict(), curve) for model, curve in trained]


def test_results_are_in_order_and_depend_on_nothing_beside(
    base: networks.Classifier, given: list[Training], monkeypatch: pytest.MonkeyPatch
) -> None:
    together = learned(base, given)
    monkeypatch.setenv("RETAIN_WORKERS", "1")
    alone = [learned(base, [training])[0] for training in given]
    for (weights, curve), (others, other) in zip(together, alone, strict=True):
        assert curve == other
        assert weights.keys() == others.keys()
        assert all(torch.equal(weights[name], others[name]) for name in weights)
    heads = [weights["head.output.weight"] for weights, _ in together]
    assert not any(torch.equal(heads[0], head) for head in heads[1:])


def test_a_training_that_diverges_is_named(
    base: networks.Classifier, given: list[Training], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RETAIN_WORKERS", "1")
    wild = replace(given[1], recipe=RECIPE.model_copy(update={"learning_rate": 1e30}))
    with pytest.raises(InputError, match=r"shapes\.transfer\.scratch\.learning_rate"):
        trainings.run(base, [given[0], wild], COMPUTE, "transfer")
