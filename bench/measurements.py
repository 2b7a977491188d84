"""What there is to measure, and how it is saved."""

import platform
import subprocess
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch

from bench import beside, growth, photographs, profiles, serve, steps, whole
from bench.tables import PICTURE, RESULTS, saved
from bench.timing import RUNS, isolated
from pipeline.core import artifacts, process
from pipeline.core.errors import InputError
from pipeline.scoring import style

MEASUREMENTS: Mapping[str, Callable[[], dict[str, Any]]] = {
    "sweep": beside.sweep,
    "shapes": beside.shapes,
    "pretraining": beside.pretraining,
    "replay": beside.replay,
    "sequential": partial(beside.study, "sequential", None),
    "lora": partial(beside.study, "lora", 4),
    "profiles": profiles.measure,
    "whole": whole.measure,
    "photographs": photographs.measure,
    "steps": steps.measure,
    "serve": serve.measure,
    "growth": lambda: growth.measure(saved()["whole"]["stages"]),  # measured before
}
BY_NAME = ("photographs", "steps", "growth")
"""Those that take half an hour each, and stand beside no original: taken where they are named."""


def write(names: Sequence[str]) -> None:
    """Takes the named measurements; each is saved when it is finished, for they take long.

    Raises:
        InputError: if `growth` is to be measured and `whole` never was.
    """
    if "growth" in names and "whole" not in {*saved(), *names[: names.index("growth")]}:
        raise InputError("growth needs what whole measures; accepted: whole growth")
    for name in names:
        where = machine()
        measured = MEASUREMENTS[name]() | {"machine": where}
        artifacts.save_json(RESULTS, saved() | {name: measured})
        if name == "growth":
            artifacts.save_bytes(PICTURE, style.png(growth.draw(measured)))


def machine() -> dict[str, Any]:
    """Of what code, when and where a measurement is taken, and how fast products are there."""
    return {
        "commit": commit(),
        "date": datetime.now(UTC).date().isoformat(),
        "processor": processor(),
        "cores": process.cores(),
        "gigaflops": isolated("bench.ours:product_speed", True) / 1e9,
        "torch": torch.__version__,
        "keras": version("keras") if find_spec("keras") else "",
        "runs": RUNS,
    }


def commit() -> str:
    """The current commit, and whether code or parameters differ from it."""
    head = _git("rev-parse", "--short", "HEAD")
    changed = _git("status", "--porcelain", "--", "pipeline", "bench/*.py", "*.yaml")
    return f"{head}, changed" if changed else head


def processor() -> str:
    """The processor's name."""
    if Path("/proc/cpuinfo").exists():
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":")[1].strip()
    return platform.processor()


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], check=True, capture_output=True, text=True)
    return done.stdout.strip()
