"""A cell of a study: a run of the committed pipeline in a copy, which shares DVC's cache."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeline.core import artifacts, dag, params
from pipeline.core.errors import InputError
from pipeline.studies import checkout, children, dvc, graph, grid, parts
from pipeline.studies.grid import Cell

COPIES = Path(".dvc/tmp/studies")
MODEL = "data/base/model.safetensors"

Record = dict[str, Any]
"""A finished cell: `case`, `settings`, hashes of its `data`, `seconds` of stages; by its parts the
hashes of the `parameters` and of the `code` that they come from; and the `metrics` themselves."""


def run(
    wanted: Sequence[str],
    cell: Cell,
    study: str,
    commit: str,
    workers: int,
    start: bytes | None = None,
    project: Path = Path(),
    with_remote: bool = False,
) -> Record:
    """Runs a cell in its copy, collects some parts, and removes the copy.

    Args:
        wanted: which; only what they need is run.
        cell: one of a study's cells.
        study: its name.
        commit: what is run.
        workers: how many trials of a stage run at once.
        start: the file of the base model that it starts from, if it does.
        project: whose commit and cache of DVC it is.
        with_remote: whether what DVC's default remote has is taken from there, and what is made
            brought there; if there is one.

    Raises:
        InputError: if a stage fails.
    """
    settings = parts.only(cell.settings, wanted)
    folder = _prepared(cell._replace(settings=settings), project, study, commit)
    metrics = parts.metrics(wanted)
    if start is not None:
        name = cell.settings["network.weights"]
        artifacts.save_bytes(folder / cell.settings["network.path"] / name, start)
    targets = [graph.maker(dag.stages(folder), metric) for metric in metrics]
    seconds = _repro(cell, folder, targets, workers, with_remote)
    record = {
        "case": cell.case,
        "settings": cell.settings,
        "data": data(targets, folder),
        "seconds": seconds,
        "metrics": {name: artifacts.load_json(folder / graph.metric(name)) for name in metrics},
    }
    shutil.rmtree(folder)
    return record


def base(
    cell: Cell,
    study: str,
    commit: str,
    workers: int,
    project: Path = Path(),
    with_remote: bool = False,
) -> bytes:
    """Makes the base model of a cell in its copy, as `run` does; returns its file's content."""
    folder = _prepared(cell, project, study, commit)
    _repro(cell, folder, [parts.BASE], workers, with_remote)
    content = artifacts.load_bytes(folder / MODEL)
    shutil.rmtree(folder)
    return content


def _repro(
    cell: Cell, folder: Path, targets: Sequence[str], workers: int, with_remote: bool
) -> dict[str, float]:
    # Cells run side by side on the same cores; see `process.prepare`. Their trials stay with them.
    environment = {
        "DASK_SCHEDULER_ADDRESS": "",
        "GOMP_SPINCOUNT": "0",
        "RETAIN_WORKERS": str(workers),
    }
    shared = with_remote and checkout.has_remote(folder)
    try:
        seconds = dvc.repro(folder, targets, pull=shared, environment=environment)
        if shared:
            dvc.call(folder, "push", "--run-cache", "--with-deps", *targets)
    except InputError as error:
        raise InputError(f"{cell.name}: {error}; its copy is in {folder}") from None
    return seconds


def _prepared(cell: Cell, project: Path, study: str, commit: str) -> Path:
    """The cell's copy of a commit; one that an ended study left is gone on with."""
    folder = project / COPIES / study / cell.name
    children.end_left_over(folder)
    (folder / ".dvc/tmp/rwlock").unlink(missing_ok=True)  # it names those that were ended
    ready = folder / ".dvc/tmp/prepared"
    state = json.dumps([commit, cell.settings])
    if not ready.exists() or ready.read_text() != state:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        checkout.committed(folder, project, commit)
        checkout.configure(folder, (project / ".dvc/cache").resolve())
        checkout.set_parameters(folder, cell.settings)
        content = params.read(folder / params.PARAMS)
        checkout.set_stages(folder, parts.run_with(content, dag.stages(folder)))
        ready.parent.mkdir(exist_ok=True)
        ready.write_text(state)
    return folder


def data(targets: Sequence[str], folder: Path) -> dict[str, str]:
    """The hashes of the data that some stages of a cell start from, as dvc.lock has them."""
    stages, locked = dag.stages(folder), dag.locked(folder)
    roots = [name for name in graph.upstream(stages, targets) if not graph.parents(stages, name)]
    return {
        output["path"]: output["md5"]
        for name in sorted(roots)
        for output in locked.get(name, {}).get("outs", [])
    }


def known_data(metric: str, cell: Cell) -> dict[str, str]:
    """Of the data that a cell's metric comes from, the hashes that the project's dvc.lock tells.

    Those are of the stages that were run there with the cell's parameters.
    """
    content, stages, locked = grid.parameters(cell), dag.stages(), dag.locked()
    known: dict[str, str] = {}
    for name in graph.upstream(stages, [graph.maker(stages, metric)]):
        given = locked.get(name, {}).get("params", {}).get(params.PARAMS.name, {})
        if not graph.parents(stages, name) and all(
            grid.section(content, section) == value for section, value in given.items()
        ):
            known |= {out["path"]: out["md5"] for out in locked.get(name, {}).get("outs", [])}
    return known
