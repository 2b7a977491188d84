"""What the stages take with many photographs: their memory shall not grow with the number."""

import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from bench.copies import clone
from bench.usage import used
from pipeline.core import process
from pipeline.studies import checkout

COUNTS = (10_000, 100_000)
SIDE = 64
CLASSES = 10
STAGES = (
    "weights", "download", "split", "pretrain", "features", "statistics", "replay", "joint",
    "sequential", "evaluate",
)  # fmt: skip
SETTINGS = {
    "data.source": "folder",
    "split.new_classes": ["class 0"],
    "pretrain.epochs": 1,
    "joint.epochs": 1,
    "replay.epochs": 1,
    "sequential.trials": 8,
    "methods": ["replay", "joint", "sequential"],
}
"""Little training: memory does not depend on it."""


def measure() -> dict[str, Any]:
    """Runs stages of the first question on folders of pictures of 64×64 pixels.

    Returns:
        `photographs`: for each number of pictures, by stage, seconds and megabytes, without the
        pages of mapped files.
    """
    return {"photographs": {str(count): over(count) for count in COUNTS}}


def over(count: int) -> dict[str, dict[str, float]]:
    """What each stage takes with that many pictures."""
    with clone() as project:
        own = (project / "data/own").resolve()
        parts = np.array_split(np.arange(count), 8 * process.workers())
        with ProcessPoolExecutor(process.workers()) as pool:
            list(pool.map(draw, [own] * len(parts), parts))
        checkout.set_parameters(project, SETTINGS)
        return {
            stage: asdict(
                used([sys.executable, "-m", "pipeline.core.run", stage], project, mapped=False)
            )
            for stage in STAGES
        }


def draw(folder: Path, numbers: list[int]) -> None:
    """Saves pictures: noise about a colour of their class."""
    for number in numbers:
        random = np.random.default_rng(number)
        name = number % CLASSES
        colour = np.random.default_rng(name).integers(60, 196, 3)
        pixels = colour + random.integers(-60, 60, (SIDE, SIDE, 3))
        of_class = folder / f"class {name}"
        of_class.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels.astype(np.uint8)).save(of_class / f"{number}.png")
