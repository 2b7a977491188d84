"""What a study says of claims: by how much the one thing is better than the other."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from pipeline.studies import grid
from pipeline.studies.cells import Record
from pipeline.studies.grid import Definition
from pipeline.studies.summary import interval


def effects(definition: Definition, records: Sequence[Record]) -> list[dict[str, Any]]:
    """Every claim of a study with its `effects`, by the values that the study is held against.

    An effect is the mean difference of two figures over runs that have all but their cases in
    common, with the 95 % interval of paired runs.
    """
    found = []
    for claim in definition.claims:
        better, worse = (
            _figures(definition, records, *side) for side in (claim.better, claim.worse)
        )
        differences = {
            value: [better[run] - worse[run] for run in better if run in worse and run[0] == value]
            for value in grid.values(definition)
        }
        of_values = {value: interval(np.array(each)) for value, each in differences.items() if each}
        found.append(claim.model_dump() | {"effects": of_values})
    return found


def _figures(
    definition: Definition, records: Sequence[Record], case: str, figure: str
) -> dict[tuple[str, ...], float]:
    """A figure of all runs of a case, by what it is held against and by all else that varies."""
    method, _, name = figure.partition(".")
    return {
        _run(definition, record): figures[method][name]
        for record in records
        if record["case"] == case
        for figures in record["metrics"].values()
        if method in figures
    }


def _run(definition: Definition, record: Record) -> tuple[str, ...]:
    """What a run is held against, and all else that varies in its case."""
    settings, varied = record["settings"], sorted(grid.varied(definition, record["case"]))
    against = grid.text(settings.get(definition.against))
    return against, *(f"{key}={grid.text(settings.get(key))}" for key in varied)
