"""What a study says of claims: by how much the one thing is better than the other."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from pipeline.core.errors import InputError
from pipeline.studies import grid
from pipeline.studies.cells import Record
from pipeline.studies.grid import Claim
from pipeline.studies.summary import interval


def effects(
    claims: Iterable[Claim], records: Sequence[Record], against: str, values: Sequence[str]
) -> list[dict[str, Any]]:
    """Every claim with its `effects`, by the values that the study is held against.

    An effect is the mean difference of two figures over runs that have all but their cases in
    common, with the 95 % interval of paired runs.

    Raises:
        InputError: if a case has no such figure.
    """
    found = []
    for claim in claims:
        better, worse = (_figures(records, against, *side) for side in (claim.better, claim.worse))
        differences = {
            value: [better[run] - worse[run] for run in better if run in worse and run[0] == value]
            for value in values
        }
        of_values = {value: interval(np.array(each)) for value, each in differences.items() if each}
        found.append(claim.model_dump() | {"effects": of_values})
    return found


def _figures(
    records: Sequence[Record], against: str, case: str, figure: str
) -> dict[tuple[str, int], float]:
    """A figure of all runs of a case, by what it is held against and by their seeds."""
    method, _, name = figure.partition(".")
    found = {}
    for record in (each for each in records if each["case"] == case):
        figures = {key: value for part in record["metrics"].values() for key, value in part.items()}
        if name not in figures.get(method, {}):
            raise InputError(f"claims: no {figure} among the figures of the case {case}")
        run = (grid.text(record["settings"][against]), record["settings"]["seed"])
        found[run] = figures[method][name]
    return found
