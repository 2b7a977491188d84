"""Small pictures and sections that the tests make."""

import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from pipeline.core.labelled import Labelled
from pipeline.sources import catalogue
from pipeline.sources.data import Data

DEFAULTS: dict[str, Any] = {
    "source": "folder",
    "path": "photos",
    "test": 0.25,
    "seed": 0,
    "label": "label",
    "size": 8,
    "channels": 3,
    "fit": "crop",
}


def data(**changes: Any) -> Data:
    """The section `data`, with changes."""
    return Data(**DEFAULTS | changes)


def noise(seed: int, height: int = 12, width: int = 12) -> npt.NDArray[np.uint8]:
    """Colours at random, `(height, width, 3)`."""
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def save(path: Path, pixels: npt.NDArray[Any], **options: Any) -> Path:
    """Saves a picture, and makes the folders that lead to it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **options)
    return path


def photos(root: Path, classes: dict[str, int], start: int = 0) -> Path:
    """Folders of so many different pictures each."""
    for name, count in classes.items():
        for number in range(count):
            save(root / name / f"{number}.png", noise(start))
            start += 1
    return root


def written(folder: Path, **changes: Any) -> tuple[Labelled, Labelled]:
    """What a source writes to a folder."""
    catalogue.write(data(**changes), folder)
    return Labelled.load(folder / "train"), Labelled.load(folder / "test")


def left(folder: Path) -> list[str]:
    """Every file below a folder."""
    done = subprocess.run(("find", folder, "-type", "f"), capture_output=True, check=True)
    return done.stdout.decode().split()
