"""What a study varies, as cells, each a run of the pipeline."""

import hashlib
import json
from collections.abc import Mapping
from functools import lru_cache
from itertools import product
from typing import Annotated, Any, NamedTuple

from pydantic import Field

from pipeline.core import params
from pipeline.core.params import NotNegative, Section
from pipeline.studies import checkout

STARTS = "data/starts"
"""Where a cell finds the weights that it starts from."""
METHODS = "methods"
"""The parameter that lists the methods that are compared."""
LONGEST = 90
"""Letters of a cell's name; a longer one ends in a hash."""

Axes = dict[str, Annotated[list[Any], Field(min_length=1)]]
"""Parameters and the values that each takes; `a, b` are two that take the same."""


class Case(Section):
    """One of the things that a study compares.

    Attributes:
        set: parameters that stay the same.
        vary: what varies instead of the study's.
        metrics: what is collected instead of the study's.
        start: which of the study's starts its network's weights are; they are made, brought to
            `network.path`, and named by `network.weights`.
    """

    set: dict[str, Any] = Field(default_factory=dict)
    vary: Axes | None = None
    metrics: Annotated[list[str], Field(min_length=1)] | None = None
    start: str | None = None


class Claim(Section):
    """That one thing is better than another.

    Attributes:
        text: what is claimed.
        better: a case, and one of its figures, as `replay.accuracy` or `rank_8.accuracy`.
        worse: another one.
        margin: points by which the first may be worse where it is claimed to be as good.
    """

    text: str
    better: list[str] = Field(min_length=2, max_length=2)
    worse: list[str] = Field(min_length=2, max_length=2)
    margin: NotNegative = 0.0


class Definition(Section):
    """A study: every case with every combination of what varies.

    Attributes:
        title: for people.
        metrics: files of `metrics/` that are collected, without their suffix; the pipeline runs up
            to the stages that make them.
        vary: what varies in every case.
        against: a parameter that varies, for each of whose values a case is summed up (default: as
            a whole).
        starts: parameters of base models that cases start from, by their names.
        cases: by their names.
        claims: what is compared of these at each value of `against`, by runs that are otherwise
            equal.
    """

    title: str
    metrics: list[str] = Field(min_length=1)
    vary: Axes
    against: str | None = None
    starts: dict[str, dict[str, Any]] = Field(default_factory=dict)
    cases: dict[str, Case] = Field(default_factory=lambda: {"default": Case()}, min_length=1)
    claims: list[Claim] = Field(default_factory=list)


class Cell(NamedTuple):
    """One run: the case it belongs to, and the parameters that differ from params.yaml.

    `start` names the one of the study's starts that its weights come from, if there is one.
    """

    case: str
    settings: dict[str, Any]
    start: str | None = None

    @property
    def name(self) -> str:
        """Unique in its study, and fit for a folder."""
        settings = [f"{key}={value}" for key, value in self.settings.items()]
        whole = ",".join([self.case, *settings])
        plain = "".join(c if c.isalnum() or c in "=,.-_" else "_" for c in whole)
        if plain == whole and len(whole) <= LONGEST:
            return whole
        return f"{plain[:LONGEST]}~{hashlib.sha256(whole.encode()).hexdigest()[:8]}"


def metrics(definition: Definition, case: str) -> list[str]:
    """What is collected of a case."""
    own = definition.cases[case].metrics
    return definition.metrics if own is None else own


def cells(definition: Definition) -> list[Cell]:
    """All cells of a study."""
    return [
        Cell(name, _brought(case.start) | case.set | chosen, case.start)
        for name, case in definition.cases.items()
        for chosen in _combinations(axes(definition, name))
    ]


def axes(definition: Definition, case: str) -> Axes:
    """What varies in a case."""
    own = definition.cases[case].vary
    return definition.vary if own is None else own


def varied(definition: Definition, case: str) -> set[str]:
    """The parameters that vary in a case."""
    return {key.strip() for together in axes(definition, case) for key in together.split(",")}


def parameters(cell: Cell) -> dict[str, Any]:
    """The content of params.yaml with the settings of a cell."""
    path = params.PARAMS
    content = _read_once(path.read_bytes()) if path.exists() else params.read()
    return checkout.changed(content, cell.settings)


@lru_cache(maxsize=2)
def _read_once(content: bytes) -> dict[str, Any]:
    return params.read()


def section(content: Mapping[str, Any], name: str) -> Any:
    """A value of params.yaml, by its dotted name."""
    value: Any = content
    for part in name.split("."):
        value = value[part]
    return value


def values(definition: Definition) -> list[str]:
    """What a study's cases are held against, as text, in the order of the definition."""
    key = definition.against
    return (
        list(dict.fromkeys(text(cell.settings[key]) for cell in cells(definition))) if key else []
    )


def text(value: Any) -> str:
    """A parameter's value as text: JSON."""
    return json.dumps(value)


def start(definition: Definition, name: str) -> Cell:
    """The run that makes one of a study's starts."""
    return Cell(f"start_{name}", definition.starts[name])


def _brought(start: str | None) -> dict[str, Any]:
    """The parameters by which a cell finds its start."""
    return {"network.path": STARTS, "network.weights": f"{start}.safetensors"} if start else {}


def _combinations(axes: Mapping[str, list[Any]]) -> list[dict[str, Any]]:
    keys = [[key.strip() for key in together.split(",")] for together in axes]
    return [
        {key: value for group, value in zip(keys, values, strict=True) for key in group}
        for values in product(*axes.values())
    ]
