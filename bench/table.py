"""The table of times: what there is to measure, and where it is saved."""

import os
import platform
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from bench import beside, growth, profiles, whole
from bench.timing import RUNS
from pipeline import artifacts, figures
from pipeline.errors import InputError

RESULTS = Path("metrics/bench.json")
MEASUREMENTS: Mapping[str, Callable[[], dict[str, Any]]] = {
    "sweep": beside.sweep,
    "shapes": beside.shapes,
    "pretraining": beside.pretraining,
    "replay": beside.replay,
    "sequential": partial(beside.study, "sequential", "sequential", None),
    "lora": partial(beside.study, "lora", "LoRA", 4),
    "profiles": profiles.measure,
    "whole": whole.measure,
    "growth": lambda: growth.measure(saved()["whole"]["stages"]),  # measured before
}


def write(names: Sequence[str]) -> None:
    """Takes the named measurements; each is saved when it is finished, for they take long.

    Raises:
        InputError: if `growth` is to be measured and `whole` never was.
    """
    if "growth" in names and "whole" not in {*saved(), *names[: names.index("growth")]}:
        raise InputError("growth needs what whole measures; accepted: whole growth")
    for name in names:
        where = machine()  # first, for it fails if Keras is missing
        measured = MEASUREMENTS[name]() | {"machine": where}
        artifacts.save_json(RESULTS, saved() | {name: measured})
        if name == "growth":
            artifacts.save_bytes("plots/growth.png", figures.png(growth.draw(measured)))


def saved() -> dict[str, Any]:
    """What was measured before."""
    return artifacts.load_json(RESULTS) if RESULTS.exists() else {}


def machine() -> dict[str, Any]:
    """Where and when a measurement is taken."""
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "processor": processor(),
        "cores": len(os.sched_getaffinity(0)),
        "torch": torch.__version__,
        "keras": version("keras"),
        "runs": RUNS,
    }


def processor() -> str:
    """The processor's name."""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":")[1].strip()
    return platform.processor()
