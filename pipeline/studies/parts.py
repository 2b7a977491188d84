"""What a study collects of a cell, in parts that are run again each by itself.

A part is a metric; or, of one that compares methods, `METRIC/METHOD`, and then the metric's own
name stands for what belongs to no method: the base.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from pipeline.core import dag
from pipeline.studies import graph, grid
from pipeline.studies.grid import METHODS, Cell, Definition

BASE = "pretrain"
"""The stage that makes a base model."""

Content = Mapping[str, Any]
"""Of params.yaml."""


def fingerprints(definition: Definition, cell: Cell, stages: dag.Stages) -> dict[str, str]:
    """For each part the SHA-256 of all parameters that the stages up to it read.

    Among them are those that the base model was made with that the cell starts from. The list of
    methods is not: which others are compared changes no figure of a method.
    """
    content = grid.parameters(cell)
    start = {}
    if cell.start:
        whole = grid.parameters(grid.start(definition, cell.start))
        start = {"start": _read(run_with(whole, stages), BASE, whole)}
    found = {}
    for metric in grid.metrics(definition, cell.case):
        target = graph.maker(stages, metric)
        compares = METHODS in stages[target].get("params", [])
        for method in [None, *(content[METHODS] if compares else [])]:
            chosen = {**content, METHODS: [method] if method else []} if compares else content
            read = _read(run_with(chosen, stages), target, chosen) | start
            read.pop(METHODS, None)
            text = json.dumps(read, sort_keys=True)
            part = f"{metric}/{method}" if method else metric
            found[part] = hashlib.sha256(text.encode()).hexdigest()
    return found


def _read(stages: dag.Stages, target: str, content: Content) -> dict[str, Any]:
    """The sections of parameters that a stage reads, and all that it needs."""
    names = graph.upstream(stages, [target])
    sections = sorted({section for name in names for section in stages[name].get("params", [])})
    return {section: grid.section(content, section) for section in sections}


def run_with(content: Content, stages: dag.Stages) -> dag.Stages:
    """The stages of a project but for those of methods that its parameters do not list."""
    return graph.only(stages, content[METHODS]) if METHODS in content else stages


def metrics(parts: Iterable[str]) -> list[str]:
    """The metrics that some parts belong to."""
    return list(dict.fromkeys(part.partition("/")[0] for part in parts))


def only(settings: Content, parts: Iterable[str]) -> dict[str, Any]:
    """A cell's settings with no other methods than those of some parts."""
    methods = [part.partition("/")[2] for part in parts if "/" in part]
    return {**settings, METHODS: methods} if methods or METHODS in settings else {**settings}


def figures(found: Mapping[str, Content], part: str, all_parts: Iterable[str]) -> dict[str, Any]:
    """The figures of a part, by its metric.

    Args:
        found: the figures of all metrics of a cell.
        part: one of its parts.
        all_parts: these.
    """
    metric, _, method = part.partition("/")
    others = {each.removeprefix(f"{metric}/") for each in all_parts} - {method}
    chosen = {
        name: figure
        for name, figure in found[metric].items()
        if (name == method if method else name not in others)
    }
    return {metric: chosen}
