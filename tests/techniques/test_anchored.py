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
from pipeline.techniques import adapters, anchored, targets
from pipeline.techniques.anchored import Learned, Studied, Trial
from pipeline.techniques.strength import interpolate
from tests import foreign

COMPUTE = Compute(device="cpu", threads=1, reproducible=True)
STUDIED: dict[str, Any] = {
    "trials": 8,
    "sampler": "tpe",
    "pruner": "none",
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


def trial(low_rank: bool) -> Trial:
    """Two old classes that the head knows, and a new one that it doesn't."""
    torch.manual_seed(0)
    head = networks.dense_head((4, 16, 3), 0.0)
    model = networks.Classifier(nn.Identity(), head, {})
    labels = torch.arange(300) % 3
    inputs = 3 * torch.eye(4)[labels] + torch.randn(300, 4) * 0.3
    old = labels < 2
    settings = Studied.model_validate(STUDIED)
    recipe = settings.recipe({"epochs": 10, "learning_rate": 0.01})
    training.fit(
        model, inputs[old], labels[old], recipe, Validation(inputs, labels, ~old, "overall")
    )
    return Trial(
        partial(derive, 0, "test"),
        settings,
        model,
        inputs[~old],
        labels[~old],
        Validation(inputs, labels, ~old, settings.objective),
        partial(adapters.wrap, targets=["head.output"], r=2, alpha=2.0, dropout=0.0)
        if low_rank
        else None,
    )


def at_strength(task: Trial, learned: Learned, strength: float) -> dict[str, float]:
    """What is measured of the learned model at some strength."""
    tuned = deepcopy(learned.model)
    adapters.set_strength(tuned, 1)
    adapters.merge(tuned)
    model = interpolate(task.model, tuned, strength)
    return task.validation.measure(training.predict(model, task.validation.inputs))


@pytest.mark.parametrize("low_rank", [True, False])
def test_new_class_is_learnt_and_old_ones_kept(low_rank: bool) -> None:
    task = trial(low_rank)
    before = deepcopy(task.model.state_dict())
    learned = anchored.learn_new(task, COMPUTE, "test")
    measured = at_strength(task, learned, learned.strength)
    assert measured["accuracy_new"] > 0.9
    assert measured["accuracy_old"] > 0.9
    assert len(learned.rows) == 8
    assert learned.curve
    assert models.trainable_parameters(learned.model) == (
        2 * (16 + 3) if low_rank else models.trainable_parameters(task.model)
    )
    assert {layer.strength for _, layer in adapters.adapted(learned.model)} == (
        {learned.strength} if low_rank else set()
    )
    assert all(map(torch.equal, task.model.state_dict().values(), before.values()))


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


def test_through_a_frozen_trunk_adapters_and_head_move_and_batch_statistics_stay() -> None:
    base = foreign.classifier("residual", classes=3)
    labels = torch.arange(45) % 3
    images = (foreign.images(45) // 4 + 64 * labels[:, None, None, None]).to(torch.uint8)
    old = labels < 2
    settings = Studied.model_validate(STUDIED | {"trials": 2, "check": 4, "batch": 8})
    recipe = settings.recipe({"epochs": 8, "learning_rate": 0.01})
    judge = Validation(images, labels, ~old, "worst")
    training.fit(base, images[old], labels[old], recipe, Validation(images, labels, old, "overall"))
    chosen = targets.choose(base, ["trunk.8.layers.0", "trunk.8.layers.3"], 2)
    adapt = partial(
        adapters.wrap, targets=chosen.targets, r=2, alpha=2.0, dropout=0.0, whole=chosen.whole
    )
    task = Trial(
        partial(derive, 0, "test"), settings, base, images[~old], labels[~old], judge, adapt
    )
    before = {name: value.clone() for name, value in base.state_dict().items()}
    learned = anchored.learn_new(task, COMPUTE, "test")
    kept = {
        name.replace(".base.", "."): value for name, value in learned.model.state_dict().items()
    }
    assert all(torch.equal(kept[name], value) for name, value in before.items())
    assert any("running_mean" in name for name in before)
    trained = {name for name, weight in learned.model.named_parameters() if weight.requires_grad}
    assert {name.rpartition(".")[0].rpartition(".")[2] for name in trained} == {
        "lora_A",
        "lora_B",
        "delta",
    }
    assert at_strength(task, learned, 0.0) == judge.measure(training.predict(base, images))
    assert at_strength(task, learned, 1.0) != at_strength(task, learned, 0.0)
