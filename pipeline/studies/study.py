"""`python -m pipeline study NAME...` runs studies: what is missing of them, and no more.

Results go to `metrics/studies/NAME.json`, a cell when it is finished, so that a study that was
ended goes on where it stopped. A cell that is there is not run again if its parameters and its data
are still the same.
"""

from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from tqdm import tqdm

from pipeline.core import artifacts, process
from pipeline.core.errors import InputError
from pipeline.core.labelled import closest
from pipeline.studies import cells, checkout, children, dag, figures, grid
from pipeline.studies.cells import Record
from pipeline.studies.grid import Definition
from pipeline.studies.summary import summary

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
    path = Path(f"metrics/studies/{name}.json")
    code = checkout.git(Path(), "rev-parse", "HEAD:pipeline").decode().strip()
    before: dict[str, Record] = artifacts.load_json(path)["cells"] if path.exists() else {}
    planned = {cell.name: cell for cell in grid.cells(definition)}
    # Of all cells first, so that a setting that does not exist is refused before anything runs.
    prints = {key: cells.fingerprint(definition, cell) for key, cell in planned.items()}
    finished = {
        key: before[key]
        for key, cell in planned.items()
        if key in before and same(before[key], prints[key], cells.known_data(definition, cell))
    }
    missing = [key for key in planned if key not in finished]
    pool = ThreadPoolExecutor(max(2, process.cores() // 2))
    try:
        futures = {pool.submit(cells.run, definition, planned[key], name): key for key in missing}
        with tqdm(total=len(planned), initial=len(finished), desc=name, unit="run") as progress:
            for future in as_completed(futures):
                finished[futures[future]] = future.result() | {"code": code}
                save(path, definition, finished)
                progress.update()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        children.end_all()
        pool.shutdown()
    save(path, definition, {key: finished[key] for key in planned})
    for picture, content in figures.draw(artifacts.load_json(path)).items():
        artifacts.save_bytes(f"plots/studies/{name}_{picture}.png", content)


def same(record: Record, fingerprint: str, known: dict[str, str]) -> bool:
    """Whether a finished cell has the parameters, and the data as far as they are known."""
    data_same = all(record["data"].get(path) == md5 for path, md5 in known.items())
    return bool(record["parameters"] == fingerprint and data_same)


def save(path: Path, definition: Definition, finished: dict[str, Record]) -> None:
    """Saves finished cells, and of each case the means with intervals."""
    cases: dict[str, list[Any]] = {name: [] for name in definition.cases}
    for record in finished.values():
        cases[record["case"]].append(record["metrics"])
    summaries = {name: summary(results) for name, results in cases.items() if results}
    content = {"title": definition.title, "cells": finished, "summary": summaries}
    artifacts.save_json(path, content)
