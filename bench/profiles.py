"""Where the time of a training goes."""

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from torch.profiler import ProfilerActivity, profile

from bench import ours
from bench.timing import isolated
from pipeline import params, startup, training, tuning
from pipeline.compute import Compute
from pipeline.tuning import Outcome, Values

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
    with tempfile.TemporaryDirectory() as folder:
        project = ours.copy(Path(folder))
        wall = ours.stages(project, [name], {}, reproducible=True)
        trials = isolated("bench.profiles:trials", name, str(project))
    available = wall * tuning.worker_count()
    shares = {part: taken / available for part, taken in trials.items()}
    return shares | {"elsewhere": 1 - sum(shares.values())}


def trials(name: str, project: str) -> dict[str, float]:
    """Runs a study's trials in this process; seconds in training steps and in validation passes."""
    startup.prepare()
    os.chdir(project)
    predict = training.predict
    times = {"all": 0.0, "predict": 0.0, "validation": 0.0}

    def timed(key: str, function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        start = time.perf_counter()
        result = function(*arguments, **options)
        times[key] += time.perf_counter() - start
        return result

    @contextmanager
    def here(
        run: Callable[[int, Values], Outcome], compute: Compute
    ) -> Iterator[Callable[[int, Values], "Future[Outcome]"]]:
        def submit(number: int, values: Values) -> "Future[Outcome]":
            before = times["predict"]
            future: Future[Outcome] = Future()
            future.set_result(timed("all", run, number, values))
            times["validation"] += times["predict"] - before
            return future

        yield submit

    training.predict = partial(timed, "predict", predict)
    tuning._workers = here
    stage = import_module(f"pipeline.stages.{name}")
    stage.main(**params.arguments(stage.main))
    return {"steps": times["all"] - times["validation"], "validation": times["validation"]}
