"""The definitions of studies, `studies/NAME.yaml`: read, and refused if they can't be run."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.core import dag, params
from pipeline.core.errors import InputError
from pipeline.core.labelled import closest
from pipeline.studies import checkout, graph, grid
from pipeline.studies.grid import METHODS, Definition

FOLDER = Path("studies")
MEASURES = ("accuracy", "accuracy_old", "accuracy_new")
"""The figures of methods that claims are made of."""
OFF = "accuracy_old_off"
"""Another one, of an adapter that is taken off."""


def names() -> list[str]:
    """The studies that there are."""
    return sorted(file.stem for file in FOLDER.glob("*.yaml"))


def load(name: str) -> Definition:
    """Reads a study's definition.

    Raises:
        InputError: if there is none of that name, or a key or value is refused.
    """
    if name not in names():
        raise InputError(f"{FOLDER}/{name}.yaml: no such study; {closest(name, names())}")
    definition = params.load(FOLDER / f"{name}.yaml", Definition)
    for case, content in definition.cases.items():
        if content.start and content.start not in definition.starts:
            hint = closest(content.start, list(definition.starts))
            raise InputError(
                f"{FOLDER}/{name}.yaml: cases.{case}.start is {content.start!r}; {hint}"
            )
    if definition.claims and not definition.against:
        raise InputError(f"{FOLDER}/{name}.yaml: claims need `against`, which is missing")
    for cell in grid.cells(definition):
        if definition.against and definition.against not in cell.settings:
            raise InputError(
                f"{FOLDER}/{name}.yaml: against is {definition.against!r}, which case {cell.case} "
                f"does not set; {closest(definition.against, list(cell.settings))}"
            )
        _check_methods(f"{FOLDER}/{name}.yaml: case {cell.case}", cell.settings)
    for claim in definition.claims:
        for side in (claim.better, claim.worse):
            _check_side(f"{FOLDER}/{name}.yaml: claims", definition, *side)
        better, worse = (grid.varied(definition, case) for case, _ in (claim.better, claim.worse))
        if better != worse:
            raise InputError(
                f"{FOLDER}/{name}.yaml: claims compares the cases {claim.better[0]} and "
                f"{claim.worse[0]}, of which one alone varies {min(better ^ worse)}; the same of "
                "both accepted"
            )
    return definition


def _check_methods(where: str, settings: Mapping[str, Any]) -> None:
    """Refuses a list of methods that are not there."""
    listed = settings.get(METHODS, [])
    if not isinstance(listed, list):
        raise InputError(f"{where}: methods is {listed!r}; a list accepted")
    known = graph.methods(dag.stages()) if listed else []
    if unknown := [name for name in listed if name not in known]:
        hint = closest(str(unknown[0]), known) if known else "dvc.yaml has none"
        raise InputError(f"{where}: no method {unknown[0]!r}; {hint}")


def _check_side(where: str, definition: Definition, case: str, figure: str) -> None:
    """Refuses a side of a claim that the study has no figure of."""
    if case not in definition.cases:
        raise InputError(f"{where} has the case {case!r}; {closest(case, list(definition.cases))}")
    figures = {name: _figures(definition, case, name) for name in grid.metrics(definition, case)}
    known = [each for of_metric in figures.values() for each in of_metric]
    if figure not in known:
        raise InputError(f"{where} has {figure!r} of the case {case}; {closest(figure, known)}")
    if known.count(figure) > 1:
        both = " and ".join(name for name in figures if figure in figures[name])
        raise InputError(
            f"{where} has {figure!r} of the case {case}, which {both} have; one of its `metrics` "
            "accepted"
        )


def _figures(definition: Definition, case: str, metric: str) -> list[str]:
    """What a case has of a metric: figures of its methods, or those that are committed."""
    stages = dag.stages()
    if METHODS in stages[graph.maker(stages, metric)].get("params", []):
        given = definition.cases[case].set.get(METHODS)
        methods = ["base", *(graph.methods(stages) if given is None else given)]
        return [f"{method}.{measure}" for method in methods for measure in MEASURES]
    committed = json.loads(checkout.git(Path(), "show", f"HEAD:./{graph.metric(metric)}"))
    return [
        f"{name}.{measure}"
        for name, figures in committed.items()
        for measure in (*MEASURES, OFF)
        if measure in figures
    ]
