"""A tiny project whose base knows some of four clouds of points, for methods to go on from."""

from collections.abc import Callable, Sequence
from itertools import chain
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from pipeline.core import run
from pipeline.core.labelled import Labelled
from pipeline.core.seeding import derive
from pipeline.learning import models
from pipeline.new_class import results
from pipeline.new_class.evaluation import learned
from pipeline.new_class.evaluation.learned import Method
from pipeline.techniques.fisher import Fisher
from pipeline.techniques.statistics.gaussians import Gaussians
from pipeline.techniques.statistics.ridge import Projection, Sums
from pipeline.techniques.statistics.slda import Moments
from tests.project import Project

WIDTH, CLASSES, NEW = 8, ["a", "b", "c", "d"], 1
AUGMENTATION = {"rotation": 0.0, "scale": 0.0, "translation": 0.0}
LONGER = {
    "compute.threads": 1,
    "analytic.widths": [300],
    "last_layer.epochs": 60,
    "last_layer.least_steps": 0,
    "last_layer.patience": 60,
    "last_layer.learning_rate": 0.05,
    "reft.epochs": 15,
    "reft.samples": 400,
    "reft.learning_rate": 0.02,
    "finetune_all.epochs": 1,
    "finetune_all.learning_rate": 0.3,
    "distillation.least_steps": 300,
    "distillation.learning_rate": 0.3,
    "ewc.least_steps": 300,
    "ewc.learning_rate": 0.01,
    "ewc.penalty": 100.0,
    "icarl.budget": 10,
    "icarl.learning_rate": 0.003,
    "dark_replay.budget": 10,
    "dark_replay.learning_rate": 0.01,
}
"""Parameters for few points, whose steps are too small to be shared out."""
Learn = Callable[[str], Method]


def clouds(count: int, seed: int, steps: Sequence[list[int]] = ()) -> Labelled:
    """Points of four classes, `count` of each; one of them is new, or those of several steps."""
    generator = np.random.default_rng(seed)
    labels = np.repeat(np.arange(len(CLASSES)), count)
    points = 2 * np.eye(len(CLASSES), WIDTH)[labels] + 0.5 * generator.normal(
        size=(len(labels), WIDTH)
    )
    advice = {"trunk": "identity", "augmentation": AUGMENTATION}
    new = sorted(chain.from_iterable(steps)) or [NEW]
    return Labelled(points.astype(np.float32), labels, CLASSES, new, advice, steps)


def prepare(sources: Path, steps: Sequence[list[int]] = ()) -> None:
    """Makes all that methods depend on."""
    Project(sources).set(LONGER)
    torch.manual_seed(derive(0, "tiny"))
    train = clouds(200, 0, steps)
    old = train.where(~train.is_new)
    base = models.NETWORKS["identity"]((WIDTH,), len(CLASSES), 0.0, hidden=(16,))
    optimizer = torch.optim.Adam(base.parameters(), 0.02)
    inputs, labels = torch.from_numpy(old.inputs), torch.from_numpy(old.labels)
    for _ in range(60):
        loss = F.cross_entropy(base(inputs), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    results.save_base(base, [])
    for kind in ("split", "features"):
        old.save(f"data/{kind}/old_train")
        train.where(train.is_new).save(f"data/{kind}/new_train")
        held_out = clouds(50, 1, steps)
        held_out.where(~held_out.is_new).save(f"data/{kind}/old_validation")
        held_out.where(held_out.is_new).save(f"data/{kind}/new_validation")
    gaussians = Gaussians.of(inputs, labels, 4)
    gaussians.save("data/statistics/gaussians.safetensors")
    gaussians.save_samples("data/statistics/validation", 50, old)
    projection = Projection(0, 300)
    Sums.of(projection, inputs, labels, len(CLASSES)).save(
        "data/statistics/sums.safetensors", projection.seed
    )
    Moments.of(inputs, labels).save("data/statistics/moments.safetensors")
    Fisher.of(base, inputs, labels).save("data/fisher/fisher.safetensors", 200)


def learned_by(name: str) -> Method:
    """Runs a method's stage, and loads what it saved as `evaluate` does."""
    assert run.main([name]) == 0
    return learned.load([name])[1]


@pytest.fixture
def learn(sources: Path) -> Learn:
    """Runs a method's stage on what the base doesn't know."""
    prepare(sources)
    return learned_by
