"""What dvc.yaml and dvc.lock say of the stages."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pipeline.core import params

Stages = Mapping[str, Mapping[str, Any]]


def stages(folder: Path = Path()) -> Stages:
    """The stages of a project's dvc.yaml."""
    found: Stages = params.parsed(folder / "dvc.yaml")["stages"]
    return found


def locked(folder: Path = Path()) -> Stages:
    """What the stages of a project were last run with: dvc.lock, empty if there is none."""
    path = folder / "dvc.lock"
    if not path.exists():
        return {}
    found: Stages = params.parsed(path).get("stages", {})
    return found


def outputs(stage: Mapping[str, Any]) -> list[str]:
    """All that a stage writes."""
    listed = (each for key in ("outs", "metrics", "plots") for each in stage.get(key, []))
    return [each if isinstance(each, str) else next(iter(each)) for each in listed]


def parents(stages: Stages, name: str) -> set[str]:
    """The stages whose outputs a stage reads."""
    makers = {output: maker for maker, stage in stages.items() for output in outputs(stage)}
    return {
        maker
        for dependency in stages[name].get("deps", [])
        for output, maker in makers.items()
        if Path(output).is_relative_to(dependency) or Path(dependency).is_relative_to(output)
    }


def upstream(stages: Stages, targets: Iterable[str]) -> set[str]:
    """Some stages, and all that they need."""
    found: set[str] = set()
    waiting = list(targets)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += parents(stages, name)
    return found


def downstream(stages: Stages, sources: Iterable[str]) -> set[str]:
    """Some stages, and all that need them."""
    needs = {name: parents(stages, name) for name in stages}
    found = set(sources)
    while more := {name for name in stages if needs[name] & found} - found:
        found |= more
    return found
