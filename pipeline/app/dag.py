"""What dvc.yaml and dvc.lock say of the stages, whose shape is checked: people edit them."""

import reprlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from pipeline.core import params
from pipeline.core.errors import InputError

YAML, LOCK = Path("dvc.yaml"), Path("dvc.lock")


class Stage(NamedTuple):
    """The paths of what a stage depends on, and of what it makes."""

    deps: list[str]
    outs: list[str]


def stages() -> dict[str, Stage]:
    """The stages of dvc.yaml.

    Raises:
        InputError: if it is missing, isn't YAML, or not of that shape.
    """
    content = _mapping(YAML, "it", params.parsed(YAML))
    found = {}
    for name, stage in _mapping(YAML, "stages", content.get("stages")).items():
        given = _mapping(YAML, f"stages.{name}", stage)
        deps, outs = (_paths(f"stages.{name}.{key}", given.get(key, [])) for key in Stage._fields)
        found[str(name)] = Stage(deps, outs)
    return found


def locked() -> dict[str, Mapping[str, Any]]:
    """What the stages were last run with, as dvc.lock has it; empty if nothing was run.

    Raises:
        InputError: if it isn't YAML, or not of that shape.
    """
    content = _mapping(LOCK, "it", params.parsed(LOCK) or {}) if LOCK.exists() else {}
    found = _mapping(LOCK, "stages", content.get("stages", {}))
    return {name: _mapping(LOCK, f"stages.{name}", stage) for name, stage in found.items()}


def _mapping(path: Path, place: str, value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise InputError(f"{path}: {place} is {reprlib.repr(value)}; a mapping accepted")
    return value


def _paths(place: str, value: Any) -> list[str]:
    """Paths as text, or as a mapping's key, where DVC has settings for one."""
    listed: list[Any] = value if isinstance(value, list) else [None]
    if not all(isinstance(each, str) or (isinstance(each, dict) and each) for each in listed):
        raise InputError(f"{YAML}: {place} is {reprlib.repr(value)}; a list of paths accepted")
    return [each if isinstance(each, str) else str(next(iter(each))) for each in listed]
