"""Times the pipeline beside the systems that it repeats, in one run.

An original's time is that of one epoch of each of its trainings, times its epochs; ours is that of
the stages, run as `dvc repro` runs them, in a copy of the project with the data they read.
"""

import os
import platform
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from bench import ours, torch_originals
from bench.timing import RUNS, compare, isolated, seconds
from pipeline import artifacts, params, wide
from pipeline.datasets import Labelled

RANKS = (1, 2, 4, 8, 16, 32, 64)
BASE_EPOCHS, SWEEP_EPOCHS, SHAPES_EPOCHS, SHAPES_IMAGES = 30, 10, 10, 1000
TRIALS, TRIAL_EPOCHS = 100, 17.5
"""Of the original's studies; a trial has 5 to 30 epochs, 17.5 on average."""
CONVOLUTIONS_FROZEN = True

SWEEP_ONCE = {
    "rank_sweep.learning_rates.full": [1e-3],
    "rank_sweep.learning_rates.last_layer": [5e-3],
    "rank_sweep.learning_rates.lora": [1e-3],
    "rank_sweep.published": None,
}
TRANSFER_ALONE = {f"transfer.{name}.epochs": 1 for name in ("scratch", "random", "fine_tuned")}


def write() -> None:
    """Takes all times; `metrics/bench.json` is saved after every row, for it takes long."""
    machine = {
        "date": datetime.now(UTC).date().isoformat(),
        "processor": processor(),
        "cores": len(os.sched_getaffinity(0)),
        "torch": torch.__version__,
        "keras": version("keras"),
        "runs": RUNS,
    }
    finished = []
    with tempfile.TemporaryDirectory() as folder:
        for row in rows(ours.copy(Path(folder))):
            finished.append(row)
            artifacts.save_json("metrics/bench.json", {"machine": machine, "rows": finished})


def rows(project: Path) -> Iterator[dict[str, Any]]:
    """The rows of the table, each from three systems measured in turn.

    Args:
        project: a copy for our stages to run in.
    """
    parameters = params.read()
    stages = partial(ours.stages, project, parameters)
    digits = wide.training_data()
    old = Labelled.load("data/split/old_train.safetensors")
    new = Labelled.load("data/split/new_train.safetensors")
    first, second = wide.halves(digits, [0, 1, 2, 3, 4])
    shapes = torch_originals.Shapes(SHAPES_IMAGES)

    def sweep() -> float:
        adapted = (
            seconds(torch_originals.sweep_epoch, second.inputs, second.labels, rank)
            for rank in (None, *RANKS)
        )
        base = seconds(torch_originals.sweep_epoch, first.inputs, first.labels, None)
        return BASE_EPOCHS * base + SWEEP_EPOCHS * sum(adapted)

    def transfer() -> float:
        epochs = (seconds(torch_originals.shapes_epoch, shapes, frozen) for frozen in (False, True))
        return SHAPES_EPOCHS * sum(epochs)

    def pretraining() -> float:
        return isolated("bench.keras_originals:epoch", old.inputs, old.labels)

    def study(rank: int | None) -> float:
        epoch = isolated(
            "bench.keras_originals:epoch", new.inputs, new.labels, CONVOLUTIONS_FROZEN, rank
        )
        evaluation = isolated("bench.keras_originals:evaluation", digits.inputs, digits.labels)
        return TRIALS * (TRIAL_EPOCHS * epoch + evaluation)

    operations = ours.sweep_operations(parameters, first, second, RANKS)
    yield compare(
        "rank sweep: base, every rank and all weights, once each",
        sweep,
        partial(stages, ["wide_pretrain", "rank_sweep"], SWEEP_ONCE),
    ) | {"products": ours.limits(operations)}
    yield compare(
        "shapes: base and transfer",
        transfer,
        partial(stages, ["shapes", "shapes_pretrain", "transfer"], TRANSFER_ALONE),
    )
    yield compare(
        f"pretraining: one epoch of {len(old.labels):,} images", pretraining, ours.pretraining_epoch
    ) | {"products": ours.limits(ours.pretraining_operations(old))}
    for name, title, rank in (("sequential", "sequential", None), ("lora", "LoRA", 4)):
        yield compare(
            f"{title}: a study of {TRIALS} trials",
            partial(study, rank),
            partial(stages, [name], {f"{name}.trials": TRIALS}),
        )


def processor() -> str:
    """The processor's name."""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":")[1].strip()
    return platform.processor()
