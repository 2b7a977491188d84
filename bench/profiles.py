"""Where the time of a training goes."""

import os
from collections.abc import Callable
from cProfile import Profile
from importlib import import_module
from typing import Any

from torch.profiler import ProfilerActivity, profile

from bench import ours
from bench.copies import temporary
from bench.imports import settings
from bench.timing import isolated
from pipeline.core import process, stages
from pipeline.learning import training
from pipeline.techniques.anchored import Trial

PRODUCTS = ("convolution", "mm", "addmm", "bmm")
IMAGES = 12_800
RANK = 8


def measure() -> dict[str, Any]:
    """Profiles trainings as `dvc repro` runs them.

    Returns:
        `products`: the share of the time that convolutions and matrix products take, of an epoch
        of pretraining and of one of LoRA in the rank sweep. `studies`: of each study the shares of
        its workers' time in training steps, in validation passes, and elsewhere.
    """
    return {
        "products": {
            name: isolated(f"bench.profiles:{name}") for name in ("pretraining", "adapting")
        },
        "studies": {name: study(name) for name in ("sequential", "lora")},
    }


def pretraining() -> float:
    """The share of products in pretraining."""
    return products(ours.pretraining())


def adapting() -> float:
    """The share of products in LoRA on the wide network."""
    return products(ours.adapting(RANK))


def products(training_: ours.Training) -> float:
    """The share of a training's time, in this process, that convolutions and products take."""
    fit, images, labels = training_
    with profile(activities=[ProfilerActivity.CPU]) as profiled:
        fit(images[:IMAGES], labels[:IMAGES])
    times = {event.key: event.self_cpu_time_total for event in profiled.key_averages()}
    chosen = [
        taken
        for name, taken in times.items()
        if name.removeprefix("aten::").removeprefix("mkldnn_").startswith(PRODUCTS)
    ]
    return float(sum(chosen) / sum(times.values()))


def study(name: str) -> dict[str, float]:
    """Shares of the time that a study's workers have: steps, validation, and the rest."""
    with temporary() as folder:
        project = ours.copy(folder, [name])
        wall = ours.stages(project, [name], {}, reproducible=True)
        trials = isolated("bench.profiles:trials", name, str(project))
    available = wall * process.workers()
    shares = {part: taken / available for part, taken in trials.items()}
    return shares | {"elsewhere": 1 - sum(shares.values())}


def trials(name: str, project: str) -> dict[str, float]:
    """Runs a study's trials in this process; seconds in training steps and in validation passes."""
    os.chdir(project)
    os.environ["RETAIN_WORKERS"] = "1"  # no others
    import_module("torch._dynamo")  # slow to load, and workers have it before their first trial
    main, sections = import_module(stages.find()[name].module).main, settings(name)
    # Calls of built-in functions count as their callers'; all others take a tenth longer.
    profiled = Profile(builtins=False)
    profiled.runcall(main, **sections)
    trial = Trial.__call__
    validation = spent(profiled, training.predict, trial, training.fit)
    return {"steps": spent(profiled, trial) - validation, "validation": validation}


def spent(
    profiled: Profile, function: Callable[..., object], *callers: Callable[..., object]
) -> float:
    """Seconds in a function and all that it calls; with callers, where these have called it."""
    codes = [caller.__code__ for caller in callers]
    entries = profiled.getstats()
    calls = [call for entry in entries if entry.code in codes for call in entry.calls or ()]
    chosen = calls if callers else entries
    return sum(each.totaltime for each in chosen if each.code is function.__code__)
