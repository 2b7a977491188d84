"""How time and memory grow: with the data, LoRA's rank, and the trials of a study."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullFormatter

from bench import beside, ours
from bench.copies import clone, temporary
from bench.timing import isolated, seconds
from bench.usage import Memory, Usage, repro, used
from pipeline.core import params
from pipeline.core.labelled import Labelled
from pipeline.scoring.names import title
from pipeline.scoring.style import COLOURS, WIDTH
from pipeline.studies import checkout

SHARES = (0.125, 0.25, 0.5)
"""Of the data; all of them is what `whole` measures."""
SOURCES = ("download", "ranks_images")
"""The stages that obtain images."""
IMAGES = (
    *(f"data/images/{part}" for part in ("train", "test")),
    *(f"data/ranks/images/{part}" for part in ("train", "validation", "test")),
)
"""What they save."""
TRIALS = (10, 100, 1000)
NAMED = 6
"""Stages that the picture names, those that take longest; the others are grey."""

Points = dict[str, dict[str, float]]


def measure(whole: Points) -> dict[str, Any]:
    """Measures all three.

    Args:
        whole: what each stage takes with all of the data.

    Returns:
        `data`: of each stage the seconds and megabytes at each share of the data; `ranks`: the
        same of an epoch of the rank sweep at each rank; `trials`: of the stage `lora` with each
        number of trials. Each with the `exponent` of its seconds.
    """
    runs = {str(share): over(share) for share in SHARES} | {"1.0": whole}
    by_stage = {name: {share: runs[share][name] for share in runs} for name in runs["0.125"]}
    ranks = {str(rank): asdict(rank_epoch(rank)) for rank in beside.RANKS}
    with temporary() as folder:
        trials = studies(ours.copy(folder, ["lora"]))
    return {
        "data": {name: with_exponent(points) for name, points in by_stage.items()},
        "ranks": with_exponent(ranks),
        "trials": with_exponent(trials),
    }


def over(share: float) -> Points:
    """What each stage takes with a share of the images: the first of MNIST, and fewer shapes."""
    with clone() as project:
        subprocess.run(["dvc", "repro", *SOURCES], cwd=project, check=True)
        for folder in IMAGES:
            shorten(project / folder, share)
        subprocess.run(["dvc", "commit", "--force", *SOURCES], cwd=project, check=True)
        counts = params.read(project / params.PARAMS)["shapes"]["draw"]["images"]
        fewer = {
            f"shapes.draw.images.{part}": round(count * share) for part, count in counts.items()
        }
        checkout.set_parameters(project, fewer)
        return repro(project).stages


def shorten(folder: Path, share: float) -> None:
    """Keeps the first rows of saved images."""
    images = Labelled.load(folder)
    images.save(folder, np.arange(round(len(images.labels) * share)))


def rank_epoch(rank: int) -> Usage:
    """An epoch of LoRA on the wide network in a process of its own."""
    with Memory(os.getpid()) as memory:
        return Usage(isolated("bench.growth:rank_epoch_here", rank), memory.megabytes())


def rank_epoch_here(rank: int) -> float:
    """Seconds of an epoch of LoRA on the wide network in this process."""
    return seconds(*ours.adapting(rank))


def studies(project: Path) -> Points:
    """What the stage `lora` takes with several numbers of trials."""
    points = {}
    for count in TRIALS:
        checkout.set_parameters(project, {"lora.trials": count})
        command = [sys.executable, "-m", "pipeline.core.run", "lora"]
        points[str(count)] = asdict(used(command, project))
    return points


def with_exponent(points: Points) -> dict[str, Any]:
    """The points, and the exponent of a power of the size that fits their seconds best."""
    sizes = [float(size) for size in points]
    taken = [point["seconds"] for point in points.values()]
    return {"points": points, "exponent": float(np.polyfit(np.log(sizes), np.log(taken), 1)[0])}


def draw(measured: Mapping[str, Any]) -> Figure:
    """Seconds, both axes logarithmic, and megabytes against the size.

    Args:
        measured: what `measure` returns.
    """
    figure, axes = plt.subplots(2, 3, figsize=(WIDTH, 6), sharex="col", sharey="row")
    stages: Mapping[str, Any] = measured["data"]
    longest = sorted(stages, key=lambda name: -stages[name]["points"]["1.0"]["seconds"])
    columns = (
        ("share of the data", (*SHARES, 1.0), [stages[name] for name in longest]),
        ("LoRA's rank: an epoch on one core", beside.RANKS, [measured["ranks"]]),
        ("trials of LoRA's study", TRIALS, [measured["trials"]]),
    )
    for (above, below), (label, sizes, lines) in zip(axes.T, columns, strict=True):
        for axis, key in ((above, "seconds"), (below, "megabytes")):
            for place, line in reversed(list(enumerate(lines))):
                colour = COLOURS[place] if place < NAMED else "#cccccc"
                points = sorted((float(at), point[key]) for at, point in line["points"].items())
                axis.plot(*zip(*points, strict=True), "o-", color=colour, markersize=4)
        above.set_yscale("log")
        above.set_xscale("log")
        below.set_xticks(sizes, [f"{size:g}" for size in sizes])
        below.xaxis.set_minor_formatter(NullFormatter())
        below.set_xlabel(label)
        if len(lines) == 1:
            above.set_title(f"exponent {lines[0]['exponent']:.2f}", size=10)
    axes[0, 0].set_title("the longest stages, and the others", size=10)
    axes[0, 0].set_ylabel("seconds (logarithmic)")
    axes[1, 0].set_ylabel("memory, MB")
    axes[1, 0].set_ylim(bottom=0)
    names = [f"{title(name)}: exponent {stages[name]['exponent']:.2f}" for name in longest[:NAMED]]
    handles = [Line2D([], [], color=colour, marker="o") for colour in COLOURS[:NAMED]]
    figure.legend(handles, names, loc="outside lower center", ncols=3)
    return figure
