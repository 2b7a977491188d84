"""Times the pipeline beside the systems that it repeats, in one run: `python -m bench`.

An original's time is that of one epoch of each of its trainings, times its epochs; ours is that of
the stages, run as `dvc repro` runs them, in a copy of the project with the data they read.
"""

import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import torch
import yaml
from tqdm import tqdm

from bench import originals
from pipeline import artifacts, wide

RUNS = 3
RANKS = (1, 2, 4, 8, 16, 32, 64)
BASE_EPOCHS, SWEEP_EPOCHS, SHAPES_EPOCHS, SHAPES_IMAGES = 30, 10, 10, 1000

ONCE = {
    "rank_sweep.learning_rates.full": [1e-3],
    "rank_sweep.learning_rates.last_layer": [5e-3],
    "rank_sweep.learning_rates.lora": [1e-3],
    "rank_sweep.published.epochs": 1,
}
TRANSFER_ALONE = {f"transfer.{name}.epochs": 1 for name in ("scratch", "random", "fine_tuned")}


def main() -> None:
    first, second = wide.halves(wide.training_data(), [0, 1, 2, 3, 4])
    shapes = originals.Shapes(SHAPES_IMAGES)

    def sweep() -> float:
        adapted = (
            seconds(originals.sweep_epoch, second.inputs, second.labels, rank)
            for rank in (None, *RANKS)
        )
        base = seconds(originals.sweep_epoch, first.inputs, first.labels, None)
        return BASE_EPOCHS * base + SWEEP_EPOCHS * sum(adapted)

    def transfer() -> float:
        epochs = (seconds(originals.shapes_epoch, shapes, frozen) for frozen in (False, True))
        return SHAPES_EPOCHS * sum(epochs)

    with tempfile.TemporaryDirectory() as folder:
        project = copy(Path(folder))
        shapes_stages = ("shapes", "shapes_pretrain", "transfer")
        sweep_stages = ("wide_pretrain", "rank_sweep")
        results = [
            compare(
                "shapes: base and transfer",
                transfer,
                partial(seconds, run, project, shapes_stages, TRANSFER_ALONE),
            ),
            compare(
                "rank sweep: base, every rank and all weights, once each",
                sweep,
                partial(seconds, run, project, sweep_stages, ONCE),
            )
            | {"products": sweep_products(len(first.labels), len(second.labels))},
        ]
    about = {
        "date": datetime.now(UTC).date().isoformat(),
        "processor": processor(),
        "cores": len(os.sched_getaffinity(0)),
        "torch": torch.__version__,
        "runs": RUNS,
    }
    artifacts.save_json("metrics/bench.json", {"machine": about, "rows": results})


def sweep_products(first: int, second: int) -> float:
    """Seconds that the matrix products of our sweep alone take, at the speed measured now.

    Forward, and backward to all layers' inputs but the images; LoRA spares the products that give
    the gradients of the weights. Low-rank products are left out.

    Args:
        first: training images of the first classes.
        second: of the others.
    """
    parameters = yaml.safe_load(Path("params.yaml").read_text())
    weights = 784 * 1000 + 1000 * 2000 + 2000 * 5
    lora = 2 * (2 * weights - 784 * 1000)
    full = lora + 2 * weights
    operations: float = parameters["wide_pretrain"]["epochs"] * first * full
    operations += (
        parameters["rank_sweep"]["setting"]["epochs"] * second * (full + len(RANKS) * lora)
    )
    batch, layer = torch.rand(128, 1000), torch.rand(1000, 2000)
    repeats = 500
    taken = seconds(lambda: [batch @ layer for _ in range(repeats)])
    return operations / (repeats * 2 * batch.numel() * 2000 / taken)


def compare(name: str, original: Callable[[], float], ours: Callable[[], float]) -> dict[str, Any]:
    """Times both in turn, and gives median, least and most seconds of each, and their ratio."""
    times: dict[str, list[float]] = {"original": [], "ours": []}
    for _ in tqdm(range(RUNS), desc=name, unit="run"):
        times["original"].append(original())
        times["ours"].append(ours())
    row: dict[str, Any] = {"name": name}
    for who, measured in times.items():
        row[who] = {"median": median(measured), "least": min(measured), "most": max(measured)}
    pairs = zip(times["original"], times["ours"], strict=True)
    return row | {"ratio": median(theirs / us for theirs, us in pairs)}


def run(project: Path, stages: Sequence[str], changes: Mapping[str, Any]) -> None:
    """Runs stages, one process each, with some parameters changed."""
    parameters = yaml.safe_load(Path("params.yaml").read_text())
    for key, value in changes.items():
        *sections, last = key.split(".")
        section = parameters
        for name in sections:
            section = section[name]
        section[last] = value
    (project / "params.yaml").write_text(yaml.safe_dump(parameters))
    for stage in stages:
        command = [sys.executable, "-m", "pipeline", stage]
        subprocess.run(command, cwd=project, check=True, capture_output=True)


def copy(folder: Path) -> Path:
    """Copies the code and the parts of the data that the stages read."""
    for name in ("pipeline", "data/split"):
        shutil.copytree(name, folder / name)
    shutil.copy("dvc.yaml", folder)
    return folder


def seconds(work: Callable[..., object], *arguments: Any) -> float:
    """How long some work takes."""
    start = time.perf_counter()
    work(*arguments)
    return time.perf_counter() - start


def processor() -> str:
    """The processor's name."""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":")[1].strip()
    return platform.processor()


if __name__ == "__main__":
    main()
