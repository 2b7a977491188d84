"""Our own trainings, and the least that their arithmetic takes."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from bench.imports import settings
from bench.timing import isolated, seconds
from pipeline.core import dag
from pipeline.core.labelled import Labelled
from pipeline.learning import augmentation, loading, networks, training
from pipeline.learning.augmentation import Augmentation
from pipeline.learning.compute import Compute, half_precision
from pipeline.learning.networks import Classifier
from pipeline.learning.training import Recipe
from pipeline.learning.validation import Validation
from pipeline.ranks import wide
from pipeline.ranks.wide import Contender
from pipeline.studies import checkout

WARM_UP = 1280
"""Images trained on before an epoch is timed."""

Training = tuple[Callable[[Tensor, Tensor], None], Tensor, Tensor]
"""A function that trains for an epoch, and all images and labels that it takes."""


def copy(folder: Path, names: Iterable[str]) -> Path:
    """Copies the sources, and the data that stages to be timed read but don't make themselves."""
    checkout.sources(folder, Path.cwd())
    timed = [dag.stages()[name] for name in names]
    read = {each for stage in timed for each in stage["deps"] if each.startswith("data/")}
    for name in read.difference(*map(dag.outputs, timed)):
        to = folder / name
        to.parent.mkdir(parents=True, exist_ok=True)
        if Path(name).is_dir():
            shutil.copytree(name, to)
        else:
            shutil.copy(name, to)
    return folder


def stages(
    project: Path,
    names: Sequence[str],
    changes: Mapping[str, Any],
    reproducible: bool,
) -> float:
    """Seconds of running stages, one process each.

    Args:
        project: from `copy`.
        names: of the stages.
        changes: parameters and their values, as in `{"lora.trials": 10}`.
        reproducible: `compute.reproducible`.
    """
    how = {"compute.reproducible": reproducible, "compute.device": "cpu"}
    checkout.set_parameters(project, {**changes, **how})
    commands = [[sys.executable, "-m", "pipeline.core.run", name] for name in names]
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
    device = compute(reproducible).start()
    recipe = settings("pretrain")["pretrain"].model_copy(update={"epochs": 1, "least_steps": 0})
    train = Labelled.load("data/split/old_train")
    model = networks.cnn(train.inputs.shape[1:], len(train.classes), recipe.dropout).to(device)
    return _warm(model, train, recipe, augmentation.chosen(recipe.augmentation, train))


def adapting(rank: int) -> Training:
    """An epoch of LoRA on the wide network, on one thread, warmed up."""
    sweep = settings("ranks_sweep")["sweep"]
    device = compute(reproducible=True).start(threads=1)
    base, first = wide.load_base()
    _, train = wide.tasks(Labelled.load("data/ranks/images/train"), first, sweep.classes)
    scaling = partial(sweep.scaling, published=False)
    contender = Contender("lora", rank)
    model = wide.untrained(contender, base.to(device), sweep.setting.dropout, scaling)
    recipe = sweep.setting.recipe(sweep.learning_rates.lora[0], epochs=1)
    return _warm(model, train, recipe, sweep.setting.augmentation)


def _warm(model: Classifier, train: Labelled, recipe: Recipe, augment: Augmentation) -> Training:
    device = next(model.parameters()).device
    images, labels = loading.tensors(device, train)
    nothing = Validation.of(train.where(np.arange(1)), "overall", device)

    def fit(images: Tensor, labels: Tensor) -> None:
        training.fit(model, images, labels, recipe, nothing, prepare=augment)

    fit(images[:WARM_UP], labels[:WARM_UP])
    return fit, images, labels


def pretraining_operations(train: Labelled) -> float:
    """Floating-point operations of the products in an epoch of pretraining."""
    return len(train.labels) * operations(
        networks.cnn(train.inputs.shape[1:], len(train.classes), dropout=0.0)
    )


def sweep_operations(first: Labelled, second: Labelled, ranks: Iterable[int]) -> float:
    """Floating-point operations of the products in the rank sweep, every contender once.

    Args:
        first: training images of the first classes.
        second: of the others.
        ranks: of LoRA.
    """
    base = networks.mlp(first.inputs.shape[1:], len(first.classes), dropout=0.0)
    contenders = [Contender("full"), *(Contender("lora", rank) for rank in ranks)]
    per_image = sum(
        operations(wide.untrained(contender, base, 0.0, lambda rank, inputs: 1.0))
        for contender in contenders
    )
    before: int = settings("ranks_pretrain")["pretrain"].epochs
    after: int = settings("ranks_sweep")["sweep"].setting.epochs
    return before * len(first.labels) * operations(base) + after * len(second.labels) * per_image


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
    section: Compute = settings("pretrain")["compute"]
    return section.model_copy(update={"reproducible": reproducible, "device": "cpu"})
