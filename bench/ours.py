"""Our own trainings, and the least that their arithmetic takes."""

import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
import yaml
from torch.utils.flop_counter import FlopCounterMode

from bench.timing import isolated, seconds
from pipeline import models, params, training, wide
from pipeline.compute import Compute
from pipeline.datasets import Labelled
from pipeline.models import Classifier
from pipeline.stages import pretrain
from pipeline.validation import Validation

WARM_UP = 1280
"""Images trained on before an epoch is timed."""


def copy(folder: Path) -> Path:
    """Copies the code and the parts of the data that the stages read."""
    for name in ("pipeline", "data/split", "data/features", "data/methods/base"):
        shutil.copytree(name, folder / name)
    shutil.copy("dvc.yaml", folder)
    return folder


def stages(
    project: Path,
    parameters: Mapping[str, Any],
    names: Sequence[str],
    changes: Mapping[str, Any],
    reproducible: bool,
) -> float:
    """Seconds of running stages, one process each.

    Args:
        project: from `copy`.
        parameters: the content of `params.yaml`.
        names: of the stages.
        changes: parameters and their values, as in `{"lora.trials": 10}`.
        reproducible: `compute.reproducible`.
    """
    changed = deepcopy(dict(parameters))
    for key, value in {**changes, "compute.reproducible": reproducible}.items():
        *sections, last = key.split(".")
        section = changed
        for name in sections:
            section = section[name]
        section[last] = value
    (project / "params.yaml").write_text(yaml.safe_dump(changed))
    commands = [[sys.executable, "-m", "pipeline", name] for name in names]
    run = partial(subprocess.run, cwd=project, check=True, capture_output=True)
    return sum(seconds(run, command) for command in commands)


def pretraining_epoch(reproducible: bool) -> float:
    """Seconds of an epoch of pretraining in a new process, without validation."""
    return isolated("bench.ours:pretraining_epoch_here", reproducible)


def pretraining_epoch_here(reproducible: bool) -> float:
    """Seconds of an epoch of pretraining in this process."""
    sections = params.arguments(pretrain.main)
    device = compute(reproducible).start()
    recipe = sections["pretrain"].model_copy(update={"epochs": 1})
    train = Labelled.load("data/split/old_train.safetensors")
    model = models.cnn(train.inputs.shape[1:], len(train.classes), recipe.dropout).to(device)
    images, labels = training.join(device, train)
    nothing = Validation.of(train.where(np.arange(1)), "overall", device)

    def fit(count: int) -> None:
        training.fit(
            model, images[:count], labels[:count], recipe, nothing, augment=recipe.augmentation
        )

    fit(WARM_UP)
    return seconds(fit, len(labels))


def pretraining_operations(train: Labelled) -> float:
    """Floating-point operations of the products in an epoch of pretraining."""
    return len(train.labels) * operations(
        models.cnn(train.inputs.shape[1:], len(train.classes), dropout=0.0)
    )


def sweep_operations(
    parameters: Mapping[str, Any], first: Labelled, second: Labelled, ranks: Iterable[int]
) -> float:
    """Floating-point operations of the products in the rank sweep, every contender once.

    What we do beyond the original, a new last layer and an epoch of the published setting, is left
    out.

    Args:
        parameters: the content of `params.yaml`.
        first: training images of the first classes.
        second: of the others.
        ranks: of LoRA.
    """
    base = models.mlp(first.inputs.shape[1:], len(first.classes), dropout=0.0)
    contenders = ["full", *(f"rank_{rank}" for rank in ranks)]
    per_image = sum(
        operations(wide.untrained(name, base, 0.0, lambda rank, inputs: 1.0)) for name in contenders
    )
    epochs: dict[str, int] = {
        "base": parameters["wide_pretrain"]["epochs"],
        "adapted": parameters["rank_sweep"]["setting"]["epochs"],
    }
    return (
        epochs["base"] * len(first.labels) * operations(base)
        + epochs["adapted"] * len(second.labels) * per_image
    )


def operations(model: Classifier, images: int = 8) -> float:
    """Floating-point operations of the products for an image, forward and backward."""
    with FlopCounterMode(display=False) as counter:
        model(torch.zeros(images, *model.description["shape"])).sum().backward()
    return float(counter.get_total_flops()) / images


def limits(count: float) -> dict[str, float]:
    """Seconds that operations take at the speed of a large product, ours and native."""
    return {
        "ours": count / isolated("bench.ours:product_speed", True),
        "native": count / isolated("bench.ours:product_speed", False),
    }


def product_speed(reproducible: bool) -> float:
    """Operations per second of a large matrix product, in this process."""
    compute(reproducible).start()
    left, right, result = torch.rand(1024, 1000), torch.rand(1000, 2000), torch.empty(1024, 2000)
    count: int = 2 * left.numel() * right.shape[1]
    times = [seconds(partial(torch.mm, left, right, out=result)) for _ in range(60)]
    return float(count / median(times))


def compute(reproducible: bool) -> Compute:
    """The section `compute` with another value of `reproducible`, on the CPU."""
    section: Compute = params.arguments(pretrain.main)["compute"]
    return section.model_copy(update={"reproducible": reproducible, "device": "cpu"})
