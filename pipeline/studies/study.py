"""`python -m pipeline study NAME...` runs studies: what is missing of them, and no more.

Results go to `metrics/studies/NAME.json`, a cell when it is finished, so that a study that was
ended goes on where it stopped. A cell that is there is not run again if its parameters and its data
are still the same.
"""

import fcntl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tqdm import tqdm

from pipeline.core import artifacts, process
from pipeline.core.errors import InputError
from pipeline.core.labelled import closest
from pipeline.studies import cells, checkout, children, dag, figures, grid
from pipeline.studies.cells import Record
from pipeline.studies.grid import Cell, Definition
from pipeline.studies.summary import summary

THREADS = 2
"""Cores that a cell keeps busy, more or less."""
CODE = "HEAD:pipeline"
"""Git's name for all code of the pipeline."""
SOURCES = ("pipeline", "params.yaml", "dvc.yaml", "studies")


def main(names: list[str]) -> None:
    """Runs studies, or says which there are.

    Raises:
        InputError: if there are changes that aren't committed, or a cell fails.
    """
    if not names:
        raise InputError(f"found nothing; accepted: {', '.join(grid.names())}")
    for name in names:
        run(name, grid.load(name))


def run(name: str, definition: Definition) -> None:
    """Runs the cells of a study that are missing, and sums all of them up."""
    if changed := checkout.git(Path(), "status", "--porcelain", "--", *SOURCES):
        raise InputError(f"{changed.decode().split()[1]} has changed: commit it first")
    if unknown := [stage for stage in definition.stages if stage not in dag.stages()]:
        hint = closest(unknown[0], list(dag.stages()))
        raise InputError(f"{grid.FOLDER}/{name}.yaml: stages has {unknown[0]}; {hint}")
    with _alone(name):
        path = Path(f"metrics/studies/{name}.json")
        planned = {cell.name: cell for cell in grid.cells(definition)}
        # Of all cells first, so that a setting that does not exist is refused before anything runs.
        prints = {key: cells.fingerprint(definition, cell) for key, cell in planned.items()}
        finished = reusable(path, definition, planned, prints)
        if missing := {key: cell for key, cell in planned.items() if key not in finished}:
            run_missing(name, definition, missing, prints, finished)
        save(path, definition, {key: finished[key] for key in planned})
        code = checkout.git(Path(), "rev-parse", CODE).decode().strip()
        if other := sum(record["code"] != code for record in finished.values()):
            print(f"{name}: {other} of {len(planned)} runs are of other code than that of now")
        for picture, content in figures.draw(artifacts.load_json(path)).items():
            artifacts.save_bytes(f"plots/studies/{name}_{picture}.png", content)


def reusable(
    path: Path, definition: Definition, planned: dict[str, Cell], prints: dict[str, str]
) -> dict[str, Record]:
    """The finished cells that have the parameters, metrics and (as far as known) data of now."""
    before: dict[str, Record] = artifacts.load_json(path)["cells"] if path.exists() else {}
    found = {}
    for key in planned.keys() & before.keys():
        known = cells.known_data(definition, planned[key])
        data = before[key]["data"]
        if (
            before[key]["parameters"] == prints[key]
            and set(before[key]["metrics"]) >= set(definition.metrics)
            and all(data.get(file) == md5 for file, md5 in known.items())
        ):
            found[key] = before[key]
    return found


def run_missing(
    name: str,
    definition: Definition,
    missing: dict[str, Cell],
    prints: dict[str, str],
    finished: dict[str, Record],
) -> None:
    """Runs cells side by side, and adds each to the finished ones when it is there."""
    commit, code = checkout.git(Path(), "rev-parse", "HEAD", CODE).decode().split()
    at_once = min(len(missing), max(1, process.workers() // THREADS) + 1)
    workers = max(1, process.workers() // at_once)
    pool = ThreadPoolExecutor(at_once)
    try:
        futures = {
            pool.submit(cells.run, definition, cell, name, commit, workers): key
            for key, cell in missing.items()
        }
        with tqdm(total=len(missing), desc=name, unit="run") as progress:
            for future in as_completed(futures):
                key = futures[future]
                finished[key] = future.result() | {"parameters": prints[key], "code": code}
                save(Path(f"metrics/studies/{name}.json"), definition, finished)
                progress.update()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        children.end_all()
        pool.shutdown()


def save(path: Path, definition: Definition, finished: dict[str, Record]) -> None:
    """Saves finished cells, and of each case the means with intervals."""
    results: dict[str, list[Any]] = {name: [] for name in definition.cases}
    for record in finished.values():
        results[record["case"]].append(record["metrics"])
    cases = [name for name in definition.cases if results[name]]
    content = {
        "title": definition.title,
        "cases": cases,
        "cells": finished,
        "summary": {name: summary(results[name]) for name in cases},
    }
    artifacts.save_json(path, content)


@contextmanager
def _alone(name: str) -> Iterator[None]:
    """Holds a study's lock.

    Raises:
        InputError: if another process runs the study.
    """
    cells.COPIES.mkdir(parents=True, exist_ok=True)
    with (cells.COPIES / f"{name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise InputError(f"study {name} is running already") from None
        yield
