"""Times of some work, taken in turn."""

import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from importlib import import_module
from multiprocessing import get_context
from operator import truediv
from statistics import median
from typing import Any

from tqdm import tqdm

from pipeline.core import process

RUNS = 3


def seconds(work: Callable[..., object], *arguments: Any) -> float:
    """How long some work takes."""
    start = time.perf_counter()
    work(*arguments)
    return time.perf_counter() - start


def isolated(name: str, *arguments: Any) -> Any:
    """The result of a function in a new process, prepared as that of a stage is.

    Args:
        name: the module and the function, as in `bench.ours:product_speed`.
        arguments: of the function.
    """
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_call, name, arguments).result()


def _call(name: str, arguments: tuple[Any, ...]) -> Any:
    process.prepare()
    module, _, function = name.partition(":")
    return getattr(import_module(module), function)(*arguments)


def compare(
    name: str, original: Callable[[], float], ours: Callable[[bool], float]
) -> dict[str, Any]:
    """Takes the seconds of the original, ours, and ours with native instructions, in turn.

    Args:
        name: of the row.
        original: gives its seconds.
        ours: gives them for the value of `compute.reproducible`.

    Returns:
        Median, least and most of each, and `faster`: how many times ours and native are.
    """
    times: dict[str, list[float]] = {"original": [], "ours": [], "native": []}
    for _ in tqdm(range(RUNS), desc=name, unit="run"):
        times["original"].append(original())
        times["ours"].append(ours(True))
        times["native"].append(ours(False))
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
