"""Heads trained on features: the study on new classes alone, and what it hands on."""

from copy import deepcopy
from functools import partial
from typing import Any

import pytest
import torch
from torch import nn

from pipeline.core.seeding import derive
from pipeline.learning import models, networks, training
from pipeline.learning.compute import Compute
from pipeline.learning.validation import Score, Validation
from pipeline.techniques import adapters, anchored
from pipeline.techniques.anchored import HeadTrial, Learned, Studied
from pipeline.techniques.strength import interpolate

COMPUTE = Compute(device="cpu", threads=1, reproducible=True)
STUDIED: dict[str, Any] = {
    "trials": 8,
    "objective": "worst",
    "optimizer": "adam",
    "schedule": "constant",
    "weight_decay": 0.0,
    "label_smoothing": 0.0,
    "batch": 16,
    "check": 2,
    "patience": 10,
    "strengths": [0.0, 0.5, 1.0, 1.5],
    "search": {
        "learning_rate": {"low": 1e-3, "high": 1e-1, "log": True},
        "epochs": {"low": 2, "high": 6},
        "anchor": {"low": 1e-3, "high": 1.0, "log": True},
    },
}


def trial(low_rank: bool) -> HeadTrial:
    """Two old classes that the head knows, and a new one that it doesn't."""
    torch.manual_seed(0)
    head = networks.dense_head((4, 16, 3), 0.0)
    labels = torch.arange(300) % 3
    inputs = 3 * torch.eye(4)[labels] + torch.randn(300, 4) * 0.3
    old = labels < 2
    settings = Studied.model_validate(STUDIED)
    recipe = settings.recipe({"epochs": 10, "learning_rate": 0.01})
    training.fit(
        head, inputs[old], labels[old], recipe, Validation(inputs, labels, ~old, "overall")
    )
    return HeadTrial(
        partial(derive, 0, "test"),
        settings,
        head,
        inputs[~old],
        labels[~old],
        Validation(inputs, labels, ~old, settings.objective),
        partial(adapters.wrap, targets=["output"], r=2, alpha=2.0, dropout=0.0)
        if low_rank
        else None,
    )


def at_strength(task: HeadTrial, learned: Learned, strength: float) -> dict[str, float]:
    """What is measured of the learned head at some strength."""
    tuned = deepcopy(learned.head)
    adapters.set_strength(tuned, 1)
    adapters.merge(tuned)
    head = interpolate(task.head, tuned, strength)
    return task.validation.measure(training.predict(head, task.validation.inputs))


@pytest.mark.parametrize("low_rank", [True, False])
def test_new_class_is_learnt_and_old_ones_kept(low_rank: bool) -> None:
    task = trial(low_rank)
    before = deepcopy(task.head.state_dict())
    learned = anchored.learn_new(task, COMPUTE, "test")
    measured = at_strength(task, learned, learned.strength)
    assert measured["accuracy_new"] > 0.9
    assert measured["accuracy_old"] > 0.9
    assert len(learned.rows) == 8
    assert learned.curve
    assert models.trainable_parameters(learned.head) == (
        2 * (16 + 3) if low_rank else models.trainable_parameters(task.head)
    )
    assert {layer.strength for _, layer in adapters.adapted(learned.head)} == (
        {learned.strength} if low_rank else set()
    )
    assert all(map(torch.equal, task.head.state_dict().values(), before.values()))


def test_strength_is_the_best_on_validation_data() -> None:
    task = trial(low_rank=False)
    learned = anchored.learn_new(task, COMPUTE, "test")

    def score(strength: float) -> Score:
        return task.validation.score(at_strength(task, learned, strength))

    assert score(learned.strength) == max(map(score, task.settings.strengths))


@pytest.mark.parametrize("low_rank", [True, False])
def test_anchor_is_the_squared_distance_from_the_base(low_rank: bool) -> None:
    head: nn.Module = networks.dense_head((4, 8, 3), 0.0)
    if low_rank:
        adapters.wrap(head, ["output"], r=2, alpha=2.0, dropout=0.0)
    penalty = anchored.distance(head, 0.5, from_zero=low_rank)
    trained = [value for value in head.parameters() if value.requires_grad]
    start = sum(float(value.detach().square().sum()) for value in trained) if low_rank else 0.0
    assert float(penalty().detach()) == pytest.approx(0.5 * start)
    with torch.no_grad():
        for value in trained:
            value.zero_() if low_rank else value.add_(1.0)
    moved = 0 if low_rank else sum(value.numel() for value in trained)
    assert float(penalty().detach()) == pytest.approx(0.5 * moved)
