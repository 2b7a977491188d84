"""What a study varies: `studies/NAME.yaml` as cells, each a run of the pipeline."""

import hashlib
from collections.abc import Mapping
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import Field

from pipeline.core import params
from pipeline.core.errors import InputError
from pipeline.core.labelled import closest
from pipeline.core.params import Section

FOLDER = Path("studies")
LONGEST = 90
"""Letters of a cell's name; a longer one ends in a hash."""

Axes = dict[str, list[Any]]
"""Parameters and the values that each takes; `a, b` are two that take the same."""


class Case(Section):
    """Parameters of a case that stay the same, and what varies in it instead of the study's."""

    set: dict[str, Any] = Field(default_factory=dict)
    vary: Axes | None = None


class Definition(Section):
    """A study: every case with every combination of what varies.

    Attributes:
        title: for people.
        metrics: files of `metrics/` that are collected, without their suffix; the pipeline runs up
            to the stages that make them.
        vary: what varies in every case.
        cases: by their names.
    """

    title: str
    metrics: list[str] = Field(min_length=1)
    vary: Axes
    cases: dict[str, Case] = Field(default_factory=lambda: {"default": Case()})


class Cell(NamedTuple):
    """One run: the case it belongs to, and the parameters that differ from params.yaml."""

    case: str
    settings: dict[str, Any]

    @property
    def name(self) -> str:
        """Unique in its study, and fit for a folder."""
        settings = [f"{key}={value}" for key, value in self.settings.items()]
        text = ",".join([self.case, *settings])
        plain = "".join(c if c.isalnum() or c in "=,.-_" else "_" for c in text)
        if plain == text and len(text) <= LONGEST:
            return text
        return f"{plain[:LONGEST]}~{hashlib.sha256(text.encode()).hexdigest()[:8]}"


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
    return params.load(FOLDER / f"{name}.yaml", Definition)


def cells(definition: Definition) -> list[Cell]:
    """All cells of a study."""
    return [
        Cell(name, case.set | chosen)
        for name, case in definition.cases.items()
        for chosen in _combinations(definition.vary if case.vary is None else case.vary)
    ]


def _combinations(axes: Mapping[str, list[Any]]) -> list[dict[str, Any]]:
    keys = [[key.strip() for key in together.split(",")] for together in axes]
    return [
        {key: value for group, value in zip(keys, values, strict=True) for key in group}
        for values in product(*axes.values())
    ]
