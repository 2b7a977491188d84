"""Our own trainings, and the least that their arithmetic takes."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
import yaml
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from bench.timing import isolated, seconds
from pipeline import artifacts, models, params, training, wide
from pipeline.compute import Compute, half_precision
from pipeline.datasets import Labelled
from pipeline.models import Classifier
from pipeline.stages import pretrain, rank_sweep
from pipeline.training import Augmentation, Recipe
from pipeline.validation import Validation

WARM_UP = 1280
"""Images trained on before an epoch is timed."""

Training = tuple[Callable[[Tensor, Tensor], None], Tensor, Tensor]
"""A function that trains for an epoch, and all images and labels that it takes."""


def copy(folder: Path) -> Path:
    """Copies the code and the parts of the data that the stages read."""
    for name in ("pipeline", "data/split", "data/features", "data/methods/base"):
        shutil.copytree(name, folder / name)
    for file in ("dvc.yaml", "params.yaml"):
        shutil.copy(file, folder)
    return folder


def stages(
    project: Path,
    names: Sequence[str],
    changes: dict[str, Any],
    reproducible: bool,
) -> float:
    """Seconds of running stages, one process each.

    Args:
        project: from `copy`.
        names: of the stages.
        changes: parameters and their values, as in `{"lora.trials": 10}`.
        reproducible: `compute.reproducible`.
    """
    changed = params.read()
    here = {"compute.reproducible": reproducible, "compute.device": "cpu"}
    for key, value in (changes | here).items():
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
    taken: float = isolated("bench.ours:pretraining_epoch_here", reproducible)
    return taken


def pretraining_epoch_here(reproducible: bool) -> float:
    """Seconds of an epoch of pretraining in this process."""
    return seconds(*pretraining(reproducible))


def pretraining(reproducible: bool = True) -> Training:
    """An epoch of pretraining, warmed up."""
    sections = params.arguments(pretrain.main)
    device = compute(reproducible).start()
    recipe = sections["pretrain"].model_copy(update={"epochs": 1})
    train = Labelled.load("data/split/old_train.safetensors")
    model = models.cnn(train.inputs.shape[1:], len(train.classes), recipe.dropout).to(device)
    return _warm(model, train, recipe, recipe.augmentation)


def adapting(rank: int) -> Training:
    """An epoch of LoRA on the wide network, on one thread, warmed up."""
    sweep = params.arguments(rank_sweep.main)["rank_sweep"]
    device = compute(reproducible=True).start(threads=1)
    base = models.load("data/wide_base/model.safetensors").to(device)
    first = artifacts.load_json("data/wide_base/facts.json")["classes"]
    _, train = wide.halves(wide.training_data(), first)
    scaling = partial(sweep.scaling, published=False)
    model = wide.untrained(f"rank_{rank}", base, sweep.setting.dropout, scaling)
    recipe = sweep.setting.recipe(sweep.learning_rates.lora[0]).model_copy(update={"epochs": 1})
    return _warm(model, train, recipe, sweep.setting.augmentation)


def _warm(model: Classifier, train: Labelled, recipe: Recipe, augment: Augmentation) -> Training:
    device = next(model.parameters()).device
    images, labels = training.join(device, train)
    nothing = Validation.of(train.where(np.arange(1)), "overall", device)

    def fit(images: Tensor, labels: Tensor) -> None:
        training.fit(model, images, labels, recipe, nothing, prepare=augment)

    fit(images[:WARM_UP], labels[:WARM_UP])
    return fit, images, labels


def pretraining_operations(train: Labelled) -> float:
    """Floating-point operations of the products in an epoch of pretraining."""
    return len(train.labels) * operations(
        models.cnn(train.inputs.shape[1:], len(train.classes), dropout=0.0)
    )


def sweep_operations(first: Labelled, second: Labelled, ranks: Iterable[int]) -> float:
    """Floating-point operations of the products in the rank sweep, every contender once.

    Args:
        first: training images of the first classes.
        second: of the others.
        ranks: of LoRA.
    """
    base = models.mlp(first.inputs.shape[1:], len(first.classes), dropout=0.0)
    contenders = ["full", *(f"rank_{rank}" for rank in ranks)]
    per_image = sum(
        operations(wide.untrained(name, base, 0.0, lambda rank, inputs: 1.0)) for name in contenders
    )
    parameters = params.read()
    pretraining, adapting = (
        float(section["epochs"])
        for section in (parameters["wide_pretrain"], parameters["rank_sweep"]["setting"])
    )
    return (
        pretraining * len(first.labels) * operations(base)
        + adapting * len(second.labels) * per_image
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
    device = compute(reproducible).start()
    left, right = torch.rand(1024, 1000), torch.rand(1000, 2000)
    with half_precision(device):
        result = left @ right
    left, right = left.to(result.dtype), right.to(result.dtype)
    count: int = 2 * left.numel() * right.shape[1]
    times = [seconds(partial(torch.mm, left, right, out=result)) for _ in range(60)]
    return float(count / median(times))


def compute(reproducible: bool) -> Compute:
    """The section `compute` with another value of `reproducible`, on the CPU."""
    section: Compute = params.arguments(pretrain.main)["compute"]
    return section.model_copy(update={"reproducible": reproducible, "device": "cpu"})
