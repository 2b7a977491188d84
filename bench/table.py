"""Times the pipeline beside the systems that it repeats, in one run.

An original's time is that of one epoch of each of its trainings, times its epochs; ours is that of
the stages, run as `dvc repro` runs them, in a copy of the project with the data they read.
"""

import os
import platform
import tempfile
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import torch

from bench import keras_originals, ours, torch_originals
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
    "rank_sweep.published.epochs": 1,
}
TRANSFER_ALONE = {f"transfer.{name}.epochs": 1 for name in ("scratch", "random", "fine_tuned")}


def write() -> None:
    """Takes all times and saves `metrics/bench.json`."""
    parameters = params.read()
    digits = wide.training_data()
    old = Labelled.load("data/split/old_train.safetensors")
    new = Labelled.load("data/split/new_train.safetensors")
    first, second = wide.halves(digits, [0, 1, 2, 3, 4])
    shapes = torch_originals.Shapes(SHAPES_IMAGES)

    def pretraining() -> float:
        return isolated(keras_originals.epoch, old.inputs, old.labels)

    def study(rank: int | None) -> float:
        epoch = isolated(keras_originals.epoch, new.inputs, new.labels, CONVOLUTIONS_FROZEN, rank)
        evaluation = isolated(keras_originals.evaluation, digits.inputs, digits.labels)
        return TRIALS * (TRIAL_EPOCHS * epoch + evaluation)

    def transfer() -> float:
        epochs = (seconds(torch_originals.shapes_epoch, shapes, frozen) for frozen in (False, True))
        return SHAPES_EPOCHS * sum(epochs)

    def sweep() -> float:
        adapted = (
            seconds(torch_originals.sweep_epoch, second.inputs, second.labels, rank)
            for rank in (None, *RANKS)
        )
        base = seconds(torch_originals.sweep_epoch, first.inputs, first.labels, None)
        return BASE_EPOCHS * base + SWEEP_EPOCHS * sum(adapted)

    with tempfile.TemporaryDirectory() as folder:
        stages = partial(ours.stages, ours.copy(Path(folder)), parameters)
        rows = [
            compare(
                f"pretraining: one epoch of {len(old.labels):,} images",
                pretraining,
                ours.pretraining_epoch,
            )
            | {"products": ours.limits(ours.pretraining_operations(old))},
            compare(
                f"sequential: a study of {TRIALS} trials",
                partial(study, None),
                partial(stages, ["sequential"], {"sequential.trials": TRIALS}),
            ),
            compare(
                f"LoRA: a study of {TRIALS} trials",
                partial(study, 4),
                partial(stages, ["lora"], {"lora.trials": TRIALS}),
            ),
            compare(
                "shapes: base and transfer",
                transfer,
                partial(stages, ["shapes", "shapes_pretrain", "transfer"], TRANSFER_ALONE),
            ),
            compare(
                "rank sweep: base, every rank and all weights, once each",
                sweep,
                partial(stages, ["wide_pretrain", "rank_sweep"], SWEEP_ONCE),
            )
            | {"products": ours.limits(ours.sweep_operations(parameters, first, second, RANKS))},
        ]
    machine = {
        "date": datetime.now(UTC).date().isoformat(),
        "processor": processor(),
        "cores": len(os.sched_getaffinity(0)),
        "torch": torch.__version__,
        "keras": keras_originals.VERSION,
        "runs": RUNS,
    }
    artifacts.save_json("metrics/bench.json", {"machine": machine, "rows": rows})


def processor() -> str:
    """The processor's name."""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":")[1].strip()
    return platform.processor()
