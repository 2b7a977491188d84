"""A cell of a study: a run of the committed pipeline in a copy, which shares DVC's cache."""

import hashlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.core import artifacts, params
from pipeline.core.errors import InputError
from pipeline.studies import checkout, dag
from pipeline.studies.grid import Cell, Definition
from pipeline.studies.repro import repro

COPIES = Path(".dvc/tmp/studies")

Record = dict[str, Any]
"""A finished cell: `case`, `settings`, hashes of `parameters` and `data`, `seconds`, `metrics`."""


def fingerprint(definition: Definition, cell: Cell) -> str:
    """The SHA-256 of all parameters that a cell's stages read."""
    stages, content = dag.stages(), parameters(cell)
    names = dag.upstream(stages, definition.stages)
    sections = sorted({section for name in names for section in stages[name].get("params", [])})
    text = json.dumps({section: _section(content, section) for section in sections}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def parameters(cell: Cell) -> dict[str, Any]:
    """The content of params.yaml with the settings of a cell."""
    return checkout.changed(params.read(), cell.settings)


def run(definition: Definition, cell: Cell, study: str) -> Record:
    """Runs a cell in its copy, collects its metrics, and removes the copy.

    Raises:
        InputError: if a stage fails.
    """
    folder = _prepared(cell, COPIES / study / cell.name)
    try:
        # Cells run side by side on the same cores; see `process.prepare`.
        seconds = repro(folder, definition.stages, environment={"GOMP_SPINCOUNT": "0"})
    except InputError as error:
        raise InputError(f"{cell.name}: {error}; its copy is in {folder}") from None
    record = {
        "case": cell.case,
        "settings": cell.settings,
        "parameters": fingerprint(definition, cell),
        "data": data(definition, folder),
        "seconds": seconds,
        "metrics": {
            name: artifacts.load_json(folder / f"metrics/{name}.json")
            for name in definition.metrics
        },
    }
    shutil.rmtree(folder)
    return record


def _prepared(cell: Cell, folder: Path) -> Path:
    """The cell's copy of what is committed; one that an ended study left is gone on with."""
    ready, commit = folder / ".dvc/tmp/commit", checkout.git(Path(), "rev-parse", "HEAD")
    if not ready.exists() or ready.read_bytes() != commit:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        checkout.committed(folder, Path())
        checkout.configure(folder, Path(".dvc/cache").resolve())
        checkout.set_parameters(folder, cell.settings)
        ready.parent.mkdir(exist_ok=True)
        ready.write_bytes(commit)
    return folder


def data(definition: Definition, folder: Path) -> dict[str, str]:
    """The hashes of the data that a cell's stages start from, as dvc.lock has them."""
    stages, locked = dag.stages(folder), dag.locked(folder)
    roots = [n for n in dag.upstream(stages, definition.stages) if not dag.parents(stages, n)]
    return {
        output["path"]: output["md5"]
        for name in sorted(roots)
        for output in locked.get(name, {}).get("outs", [])
    }


def known_data(definition: Definition, cell: Cell) -> dict[str, str]:
    """Of the data that a cell starts from, the hashes that the project's own dvc.lock tells.

    Those are of the stages that were run there with the cell's parameters.
    """
    content, stages, locked = parameters(cell), dag.stages(), dag.locked()
    known: dict[str, str] = {}
    for name in dag.upstream(stages, definition.stages):
        given = locked.get(name, {}).get("params", {}).get(params.PARAMS.name, {})
        if not dag.parents(stages, name) and all(
            _section(content, section) == value for section, value in given.items()
        ):
            known |= {out["path"]: out["md5"] for out in locked.get(name, {}).get("outs", [])}
    return known


def _section(content: Mapping[str, Any], section: str) -> Any:
    value: Any = content
    for part in section.split("."):
        value = value[part]
    return value
