"""What a study says of claims: by how much the one thing is better than the other."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from pipeline.studies import grid
from pipeline.studies.cells import Record
from pipeline.studies.grid import Definition
from pipeline.studies.summary import interval


def effects(definition: Definition, records: Sequence[Record]) -> list[dict[str, Any]]:
    """Every claim of a study with its `effects`, by the values that the study is held against.

    An effect is the mean difference of two figures over runs that have all but their cases in
    common, with the 95 % interval of paired runs. Pairs of one seed count as one, their mean: they
    may go on from the same base.
    """
    found = []
    for claim in definition.claims:
        better, worse = (
            _figures(definition, records, *side) for side in (claim.better, claim.worse)
        )
        effects = {}
        for value in grid.values(definition):
            by_seed: dict[str, list[float]] = {}
            for run in better:
                if run in worse and run.value == value:
                    by_seed.setdefault(run.seed, []).append(better[run] - worse[run])
            if by_seed:
                effects[value] = interval(np.array([np.mean(each) for each in by_seed.values()]))
        found.append(claim.model_dump() | {"effects": effects})
    return found


class Run(NamedTuple):
    """What two runs that are compared have in common.

    Attributes:
        value: of what the study is held against, as text.
        seed: as text.
        varied: all that varies in the case, and its values.
    """

    value: str
    seed: str
    varied: tuple[str, ...]


def _figures(
    definition: Definition, records: Sequence[Record], case: str, figure: str
) -> dict[Run, float]:
    """A figure of all runs of a case."""
    method, _, name = figure.partition(".")
    return {
        _run(definition, record): figures[method][name]
        for record in records
        if record["case"] == case
        for figures in record["metrics"].values()
        if name in figures.get(method, {})
    }


def _run(definition: Definition, record: Record) -> Run:
    settings, varied = record["settings"], sorted(grid.varied(definition, record["case"]))
    return Run(
        grid.text(settings.get(definition.against)),
        grid.text(settings.get("seed")),
        tuple(f"{key}={grid.text(settings.get(key))}" for key in varied),
    )
