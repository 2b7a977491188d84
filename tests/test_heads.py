"""Heads trained on features: the study on new classes alone, and what it hands on."""

from functools import partial
from typing import Any

import pytest
import torch
from torch import nn

from pipeline import adapters, heads, models, training
from pipeline.compute import Compute
from pipeline.heads import HeadTrial, Studied
from pipeline.validation import Validation

COMPUTE = Compute(device="cpu", threads=1, reproducible=True)
STUDIED: dict[str, Any] = {
    "trials": 8,
    "objective": "worst",
    "optimizer": "adam",
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


def trial(low_rank: bool) -> tuple[HeadTrial, models.Classifier]:
    """Two old classes that the head knows, and a new one that it doesn't."""
    torch.manual_seed(0)
    base = models.cnn((1, 28, 28), 3, 0.0)
    base.head = models.dense_head((4, 16, 3), 0.0)
    labels = torch.arange(300) % 3
    inputs = 3 * torch.eye(4)[labels] + torch.randn(300, 4) * 0.3
    old = labels < 2
    recipe = training.Recipe(
        epochs=10,
        batch=16,
        learning_rate=0.01,
        optimizer="adam",
        schedule="constant",
        weight_decay=0.0,
        label_smoothing=0.0,
        patience=10,
    )
    watched = Validation(inputs, labels, ~old, "overall")
    training.fit(base.head, inputs[old], labels[old], recipe, watched)
    settings = Studied.model_validate(STUDIED)
    judged = Validation(inputs, labels, ~old, settings.objective)
    adapt = partial(adapters.wrap, targets=["output"], r=2, alpha=2.0, dropout=0.0)
    return (
        HeadTrial(
            "test",
            0,
            settings,
            base.head,
            inputs[~old],
            labels[~old],
            judged,
            adapt if low_rank else None,
        ),
        base,
    )


@pytest.mark.parametrize("low_rank", [True, False])
def test_new_class_is_learnt_and_old_ones_kept(low_rank: bool) -> None:
    task, base = trial(low_rank)
    learned = heads.learn_new(task, base, COMPUTE)
    measured = task.validation.measure(training.predict(learned.model.head, task.validation.inputs))
    assert measured["accuracy_new"] > 0.9
    assert measured["accuracy_old"] > 0.9
    assert not adapters.adapted(learned.model)
    assert bool(adapters.adapted(learned.wrapped)) == low_rank
    assert models.trainable_parameters(learned.wrapped) == (
        2 * (16 + 3) if low_rank else models.trainable_parameters(base.head)
    )
    assert all(map(torch.equal, learned.model.trunk.parameters(), base.trunk.parameters()))


def test_strength_is_the_best_on_validation_data() -> None:
    task, base = trial(low_rank=False)
    learned = heads.learn_new(task, base, COMPUTE)

    def score(strength: float) -> tuple[float, float]:
        head = adapters.interpolate(base.head, learned.tuned.head, strength)
        inputs = task.validation.inputs
        return task.validation.score(task.validation.measure(training.predict(head, inputs)))

    assert score(learned.strength) == max(map(score, task.settings.strengths))


@pytest.mark.parametrize("low_rank", [True, False])
def test_anchor_is_the_squared_distance_from_the_base(low_rank: bool) -> None:
    head: nn.Module = models.dense_head((4, 8, 3), 0.0)
    if low_rank:
        adapters.wrap(head, ["output"], r=2, alpha=2.0, dropout=0.0)
    penalty = heads.distance(head, 0.5)
    trained = [value for value in head.parameters() if value.requires_grad]
    start = sum(float(value.detach().square().sum()) for value in trained) if low_rank else 0.0
    assert float(penalty().detach()) == pytest.approx(0.5 * start)
    with torch.no_grad():
        for value in trained:
            value.zero_() if low_rank else value.add_(1.0)
    moved = 0 if low_rank else sum(value.numel() for value in trained)
    assert float(penalty().detach()) == pytest.approx(0.5 * moved)
