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
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from functools import partial
from multiprocessing import get_context
from operator import truediv
from pathlib import Path
from statistics import median
from typing import Any

import torch
import yaml
from tqdm import tqdm

from bench import originals
from pipeline import artifacts, wide
from pipeline.compute import Compute

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
        operations = sweep_operations(len(first.labels), len(second.labels))
        limits = {
            name: operations / isolated(product_speed, name == "ours")
            for name in ("ours", "native")
        }
        rows = [
            compare(
                "shapes: base and transfer",
                transfer,
                partial(run, project, shapes_stages, TRANSFER_ALONE),
            ),
            compare(
                "rank sweep: base, every rank and all weights, once each",
                sweep,
                partial(run, project, sweep_stages, ONCE),
            )
            | {"products": limits},
        ]
    about = {
        "date": datetime.now(UTC).date().isoformat(),
        "processor": processor(),
        "cores": len(os.sched_getaffinity(0)),
        "torch": torch.__version__,
        "runs": RUNS,
    }
    artifacts.save_json("metrics/bench.json", {"machine": about, "rows": rows})


def sweep_operations(first: int, second: int) -> float:
    """Floating-point operations of the matrix products of our sweep.

    Forward, and backward to all layers' inputs but the images; LoRA spares the products that give
    the gradients of the weights. Low-rank products are left out, and what we do beyond the
    original: a new last layer, and an epoch of the published setting.

    Args:
        first: training images of the first classes.
        second: of the others.
    """
    parameters = yaml.safe_load(Path("params.yaml").read_text())
    weights = 784 * 1000 + 1000 * 2000 + 2000 * 5
    lora = 2 * (2 * weights - 784 * 1000)
    full = lora + 2 * weights
    adapted = parameters["rank_sweep"]["setting"]["epochs"] * second * (full + len(RANKS) * lora)
    return float(parameters["wide_pretrain"]["epochs"] * first * full + adapted)


def product_speed(reproducible: bool) -> float:
    """Operations per second of a large matrix product on all cores, in this process."""
    cores = len(os.sched_getaffinity(0))
    Compute(device="cpu", threads=cores, reproducible=reproducible).start()
    left, right, result = torch.rand(1024, 1000), torch.rand(1000, 2000), torch.empty(1024, 2000)
    speeds = []
    for _ in range(60):
        taken = seconds(partial(torch.mm, left, right, out=result))
        speeds.append(2 * left.numel() * right.shape[1] / taken)
    return median(speeds)


def isolated(work: Callable[[bool], float], argument: bool) -> float:
    """The result of some work in a new process, whose instruction set can still be chosen."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(work, argument).result()


def compare(
    name: str, original: Callable[[], float], ours: Callable[[Mapping[str, Any]], None]
) -> dict[str, Any]:
    """Times the original, ours, and ours with native instructions, in turn.

    Args:
        name: of the row.
        original: its seconds.
        ours: to be timed, with some parameters changed.

    Returns:
        Median, least and most seconds of each, and `faster`: how many times ours and native are.
    """
    works: dict[str, Callable[[], float]] = {
        "original": original,
        "ours": partial(seconds, ours, {}),
        "native": partial(seconds, ours, {"compute.reproducible": False}),
    }
    times: dict[str, list[float]] = {who: [] for who in works}
    for _ in tqdm(range(RUNS), desc=name, unit="run"):
        for who, work in works.items():
            times[who].append(work())
    return {
        "name": name,
        "faster": {
            who: median(map(truediv, times["original"], times[who])) for who in ("ours", "native")
        },
        **{
            who: {"median": median(taken), "least": min(taken), "most": max(taken)}
            for who, taken in times.items()
        },
    }


def run(
    project: Path, stages: Sequence[str], changes: Mapping[str, Any], others: Mapping[str, Any]
) -> None:
    """Runs stages, one process each, with some parameters changed."""
    parameters = yaml.safe_load(Path("params.yaml").read_text())
    for key, value in (*changes.items(), *others.items()):
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
