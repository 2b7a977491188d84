"""What dvc.yaml and dvc.lock say of the stages, whose shape is checked: people edit them."""

import reprlib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from pipeline.core import params
from pipeline.core.errors import InputError

Stage = Mapping[str, Any]
Stages = Mapping[str, Stage]
WRITTEN = ("outs", "metrics", "plots")
"""The kinds of what a stage writes."""


def stages(folder: Path = Path()) -> Stages:
    """The stages of a project's dvc.yaml.

    Raises:
        InputError: if it is missing, isn't YAML, or not of that shape.
    """
    path = folder / "dvc.yaml"
    found = _stages(path, _content(path))
    for name, stage in found.items():
        for key in ("deps", *WRITTEN):
            _listed(path, f"stages.{name}.{key}", stage.get(key, []))
    return found


def locked(folder: Path = Path()) -> Stages:
    """What the stages of a project were last run with, as dvc.lock has it; empty if none was.

    Raises:
        InputError: if it isn't YAML, or not of that shape.
    """
    path = folder / "dvc.lock"
    if not path.exists():
        return {}
    return _stages(path, {"stages": {}} | dict(_mapping(path, "it", _content(path) or {})))


def dependencies(stage: Stage) -> list[str]:
    """The paths of what a stage depends on."""
    return _paths(stage, "deps")


def outputs(stage: Stage, *kinds: str) -> list[str]:
    """The paths of what a stage writes: all, or some kinds of it."""
    return _paths(stage, *(kinds or WRITTEN))


def _content(path: Path) -> Any:
    """As `params.parsed`, but the same content once: it takes long, and studies ask often."""
    return _parsed_once(path, path.read_bytes()) if path.is_file() else params.parsed(path)


@lru_cache(maxsize=8)
def _parsed_once(path: Path, content: bytes) -> Any:
    return params.parsed(path)


def _stages(path: Path, content: Any) -> Stages:
    found = _mapping(path, "stages", _mapping(path, "it", content).get("stages"))
    return {str(name): _mapping(path, f"stages.{name}", found[name]) for name in found}


def _mapping(path: Path, place: str, value: Any) -> Mapping[Any, Any]:
    if not isinstance(value, dict):
        raise InputError(f"{path}: {place} is {reprlib.repr(value)}; a mapping accepted")
    return value


def _listed(path: Path, place: str, value: Any) -> None:
    listed: list[Any] = value if isinstance(value, list) else [None]
    if not all(isinstance(each, str) or (isinstance(each, dict) and each) for each in listed):
        raise InputError(f"{path}: {place} is {reprlib.repr(value)}; a list of paths accepted")


def _paths(stage: Stage, *keys: str) -> list[str]:
    """Paths as text, or as a mapping's key, where DVC has settings for one."""
    listed = (each for key in keys for each in stage.get(key, []))
    return [each if isinstance(each, str) else str(next(iter(each))) for each in listed]
