"""`python -m pipeline study NAME...` runs studies: what is missing of them, and no more.

Results go to `metrics/studies/NAME.json`, a cell when it is finished, so that a study that was
ended goes on where it stopped; a table of their means (`NAME.csv`) and pictures follow at the end.
What is there of a cell is not run again if its parameters and its data are still the same; of
methods that are compared, each has its own.
"""

import fcntl
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tqdm import tqdm

from pipeline.core import artifacts, dag
from pipeline.core.errors import InputError
from pipeline.studies import cells, checkout, claims, definitions, figures, grid, parts, reuse
from pipeline.studies.cells import Record
from pipeline.studies.grid import Cell, Definition
from pipeline.studies.places import place
from pipeline.studies.summary import rows, summary

CODE = "HEAD:pipeline"
"""Git's name for all code of the pipeline."""
SOURCES = ("pipeline", "params.yaml", "dvc.yaml", "studies")


def main(names: list[str]) -> None:
    """Runs studies, or says which there are.

    Raises:
        InputError: if there are changes that aren't committed, or a cell fails.
    """
    if not names:
        raise InputError(f"found nothing; accepted: {', '.join(definitions.names())}")
    loaded = {name: definitions.load(name) for name in names}
    for name, definition in loaded.items():
        run(name, definition)


def run(name: str, definition: Definition) -> None:
    """Runs the cells of a study that are missing, and sums all of them up."""
    if changed := checkout.git(Path(), "status", "--porcelain", "--", *SOURCES):
        raise InputError(f"{changed.decode().split()[1]} has changed: commit it first")
    with _alone(name):
        path = reuse.RESULTS / f"{name}.json"
        planned = {cell.name: cell for cell in grid.cells(definition)}
        # Of all cells first, so that a setting that does not exist is refused before anything runs.
        stages = dag.stages()
        prints = {
            key: parts.fingerprints(definition, cell, stages) for key, cell in planned.items()
        }
        known = reuse.reusable(planned, prints)
        run_missing(name, definition, planned, prints, known)
        save(path, definition, {key: known[key] for key in planned}, prints)
        code = checkout.git(Path(), "rev-parse", CODE).decode().strip()
        if other := sum({*record["code"].values()} != {code} for record in known.values()):
            print(f"{name}: {other} of {len(planned)} runs are of other code than that of now")
        content = artifacts.load_json(path)
        artifacts.save_table(path.with_suffix(".csv"), rows(content))
        for picture, image in figures.draw(content).items():
            artifacts.save_bytes(f"plots/studies/{name}_{picture}.png", image)


def run_missing(
    name: str,
    definition: Definition,
    planned: dict[str, Cell],
    prints: dict[str, dict[str, str]],
    known: dict[str, Record],
) -> None:
    """Runs what is missing of the cells side by side, and adds it to what is known of them."""
    commit, code = checkout.git(Path(), "rev-parse", "HEAD", CODE).decode().split()
    missing = {
        key: [part for part in prints[key] if part not in _parts(known, key)] for key in planned
    }
    missing = {key: wanted for key, wanted in missing.items() if wanted}
    if not missing:
        return
    with place(name, commit, len(missing)) as where:
        pool = ThreadPoolExecutor(where.at_once)
        try:
            # First in the queue, so that a cell that waits for its start never holds it up.
            starts = {
                start: pool.submit(where.base, grid.start(definition, start))
                for start in {planned[key].start for key in missing}
                if start
            }

            def work(key: str) -> Record:
                cell = planned[key]
                start = starts[cell.start].result() if cell.start else None
                made = where.run(missing[key], cell, start)
                if key in known and reuse.contradict(known[key], made):
                    missing[key] = list(prints[key])  # it is of another processor, or code
                    made = where.run(missing[key], cell, start)
                return made

            futures = {pool.submit(work, key): key for key in missing}
            with tqdm(total=len(missing), desc=name, unit="run") as progress:
                for future in as_completed(futures):
                    key = futures[future]
                    origin = {
                        "parameters": {part: prints[key][part] for part in missing[key]},
                        "code": dict.fromkeys(missing[key], code),
                    }
                    known[key] = reuse.together(known.get(key, {}), future.result() | origin)
                    save(reuse.RESULTS / f"{name}.json", definition, known, prints)
                    progress.update()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            where.end()
            raise
        finally:
            pool.shutdown()


def _parts(known: dict[str, Record], key: str) -> set[str]:
    return {*known.get(key, {"parameters": ()})["parameters"]}


def save(
    path: Path,
    definition: Definition,
    known: dict[str, Record],
    prints: dict[str, dict[str, str]],
) -> None:
    """Saves what is known of cells, and of each case the means of finished ones with intervals.

    Where a study has a parameter that cases are held against, they are of each of its values.
    """
    finished = [record for key, record in known.items() if _parts(known, key) == {*prints[key]}]
    cases = [name for name in definition.cases if name in {each["case"] for each in finished}]
    content: dict[str, Any] = {
        "title": definition.title,
        "cases": cases,
        "cells": known,
        "summary": {
            name: _summary([each for each in finished if each["case"] == name], definition.against)
            for name in cases
        },
    }
    if definition.against:
        content["against"] = definition.against
        content["values"] = grid.values(definition)
        if definition.claims:
            content["claims"] = claims.effects(definition, finished)
    artifacts.save_json(path, content)


def _summary(records: Sequence[Record], against: str | None) -> dict[str, Any]:
    if against is None:
        return summary([record["metrics"] for record in records])
    of_value: dict[str, list[Any]] = {}
    for record in records:
        value = grid.text(record["settings"][against])
        of_value.setdefault(value, []).append(record["metrics"])
    return {value: summary(metrics) for value, metrics in of_value.items()}


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
