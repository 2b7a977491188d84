"""`python -m pipeline repro [STAGE...]` brings the project up to date, a line per stage that ran.

Where there are more cores than a stage has threads, independent stages run side by side.
"""

import json
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from functools import partial
from pathlib import Path

from pipeline.core import dag, params, process
from pipeline.core.errors import InputError
from pipeline.studies import children, dvc, graph

Tell = Callable[[str], object]


def main(targets: list[str]) -> None:
    """Brings the whole project up to date, or some stages and what they need."""
    start = time.perf_counter()
    ran = repro(Path(), targets, print)
    taken = time.perf_counter() - start
    print(f"{len(ran)} stages ran in {taken:.0f} s" if ran else "everything is up to date")


def repro(folder: Path, targets: Sequence[str], tell: Tell) -> dict[str, float]:
    """Runs `dvc repro`, or as many independent stages at once as there are cores for.

    Args:
        folder: of the project.
        targets: stages (default: all).
        tell: is given a line for each stage when it is finished.

    Returns:
        The seconds of each stage that ran.

    Raises:
        InputError: if a stage fails, or DVC does.
    """
    match params.parsed(folder / params.PARAMS):
        case {"compute": {"threads": int(threads)}} if 0 < 2 * threads <= process.workers():
            return side_by_side(folder, targets, process.workers() // threads, tell)
    return dvc.repro(folder, targets, tell=tell)


def side_by_side(
    folder: Path, targets: Sequence[str], at_once: int, tell: Tell
) -> dict[str, float]:
    """Runs each stage in a `dvc repro` of its own, as soon as what it needs is there.

    DVC has locks for this; dvc.lock is the same. If a stage fails, those that do not need it go
    on.

    Args:
        folder: of the project.
        targets: stages (default: all).
        at_once: how many stages.
        tell: is given a line for each stage when it is finished.

    Returns:
        The seconds of each stage that ran.

    Raises:
        InputError: if stages fail, or DVC does.
    """
    stages = dag.stages(folder)
    if not stages.keys() >= {*targets}:  # an option, or a mistake that DVC explains
        return dvc.repro(folder, targets, tell=tell)
    changed = json.loads(dvc.call(folder, "status", "--json").splitlines()[-1])
    left = graph.upstream(stages, targets or stages) & graph.downstream(stages, changed)
    needs = {name: graph.parents(stages, name) & left for name in stages if name in left}
    run = partial(dvc.repro, folder, beside=True, tell=tell)
    seconds: dict[str, float] = {}
    failures: list[str] = []
    begun: dict[Future[dict[str, float]], str] = {}
    with ThreadPoolExecutor(at_once) as pool:
        try:
            while True:
                for name in [name for name, parents in needs.items() if not parents & left]:
                    del needs[name]
                    begun[pool.submit(run, [name])] = name
                if not begun:
                    break
                for future in wait(begun, return_when=FIRST_COMPLETED).done:
                    name = begun.pop(future)
                    try:
                        seconds |= future.result()
                        left.remove(name)
                    except InputError as error:
                        failures.append(str(error))
        finally:  # threads that wait for children cannot be interrupted
            if begun:
                children.end_all()
    if failures:
        missing = f"; so these did not run: {', '.join(needs)}" if needs else ""
        raise InputError("; ".join(failures) + missing)
    return seconds
