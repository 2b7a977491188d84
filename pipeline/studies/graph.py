"""Which stages of a project need which."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from pipeline.core.dag import Stage, Stages, dependencies, outputs
from pipeline.core.errors import InputError
from pipeline.core.labelled import closest

METHODS = "data/methods"
"""Where every method has a folder."""


def only(stages: Stages, methods: Iterable[str]) -> Stages:
    """The stages without those of other methods, and without what others need of these."""
    gone = {output for output, name in _methods(stages).items() if name not in {*methods}}
    return {
        name: {**stage, "deps": [each for each in stage["deps"] if each not in gone]}
        if gone & {*stage.get("deps", [])}
        else stage
        for name, stage in stages.items()
        if not gone & {*outputs(stage)}
    }


def methods(stages: Stages) -> list[str]:
    """The stages of methods."""
    return sorted(_methods(stages).values())


def _methods(stages: Stages) -> dict[str, str]:
    """What methods write, and which of them does."""
    return {
        output: name
        for name, stage in stages.items()
        for output in outputs(stage)
        if output.rpartition("/")[0] == METHODS
    }


def metric(name: str) -> str:
    """The file of a metric."""
    return f"metrics/{name}.json"


def maker(stages: Stages, name: str) -> str:
    """The stage that makes a metric.

    Raises:
        InputError: if none does.
    """
    makers = {output: stage for stage in stages for output in outputs(stages[stage], "metrics")}
    if metric(name) not in makers:
        hint = closest(name, [Path(output).stem for output in makers])
        raise InputError(f"dvc.yaml: no stage makes the metric {name}; {hint}")
    return makers[metric(name)]


def parents(stages: Stages, name: str) -> set[str]:
    """The stages whose outputs a stage reads."""
    return _parents(stages[name], _makers(stages))


def _makers(stages: Stages) -> dict[str, str]:
    return {output: name for name, stage in stages.items() for output in outputs(stage)}


def _parents(stage: Stage, makers: Mapping[str, str]) -> set[str]:
    found = set()
    for dependency in dependencies(stage):
        if dependency in makers:  # no output lies in another
            found.add(makers[dependency])
        else:
            found |= {
                maker
                for output, maker in makers.items()
                if output.startswith(f"{dependency}/") or dependency.startswith(f"{output}/")
            }
    return found


def upstream(stages: Stages, targets: Iterable[str]) -> set[str]:
    """Some stages, and all that they need."""
    makers = _makers(stages)
    found: set[str] = set()
    waiting = list(targets)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += _parents(stages[name], makers)
    return found


def downstream(stages: Stages, sources: Iterable[str]) -> set[str]:
    """Some stages, and all that need them."""
    makers = _makers(stages)
    needs = {name: _parents(stage, makers) for name, stage in stages.items()}
    found = set(sources)
    while more := {name for name in stages if needs[name] & found} - found:
        found |= more
    return found
