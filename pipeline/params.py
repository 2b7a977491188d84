"""params.yaml as typed, validated sections.

A stage names the sections it reads in the signature of its `main`, and their types say what is
accepted, so that a section's schema stands beside the only code that uses it.
"""

import difflib
import inspect
import re
import typing
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from pipeline.errors import InputError

PARAMS = Path("params.yaml")
SHARED = ("seed", "data", "compute")

Seed = Annotated[int, Field(ge=0, lt=2**32, strict=True)]
Fraction = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1)]


class Section(BaseModel):
    """A section of params.yaml: no unknown keys, no silent conversions."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class _Loader(yaml.SafeLoader):
    """PyYAML with the floats of YAML 1.2, which DVC writes: `3e-4` is a number."""


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]+$"),
    list("-+0123456789"),
)


def arguments(main: Callable[..., None], path: Path = PARAMS) -> dict[str, Any]:
    """Reads the sections that a stage's `main` names in its signature, and validates them.

    Args:
        main: a stage's entry point; each argument is a section, its annotation the schema.
        path: the YAML file.

    Returns:
        One validated value per argument of `main`.

    Raises:
        InputError: naming the file, the key, what was found and what is accepted.
    """
    hints = typing.get_type_hints(main, include_extras=True)
    sections = {name: hints[name] for name in inspect.signature(main).parameters}
    content = read(path)
    return {name: _validate(path, name, kind, content) for name, kind in sections.items()}


def read(path: Path = PARAMS) -> dict[str, Any]:
    """Reads all sections, as plain values, and refuses those that no stage has.

    Raises:
        InputError: if the file is missing, isn't YAML or holds a section unknown to every stage.
    """
    try:
        content = yaml.load(path.read_text("utf-8"), _Loader)
    except FileNotFoundError:
        raise InputError(f"{path}: not found in {Path.cwd()}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not readable as YAML: {' '.join(str(error).split())}") from None
    if not isinstance(content, dict):
        raise InputError(f"{path}: holds {_shown(content)}; a mapping of sections is accepted")
    accepted = [*SHARED, *stage_names()]
    for name in content:
        if name not in accepted:
            raise InputError(f"{path}: {_unknown(str(name), accepted)}")
    return content


def stage_names() -> list[str]:
    """The stages that exist, in alphabetical order."""
    folder = Path(__file__).parent / "stages"
    return sorted(file.stem for file in folder.glob("*.py"))


def _validate(path: Path, name: str, kind: Any, content: Mapping[str, Any]) -> Any:
    if name not in content:
        raise InputError(f"{path}: section {name} is missing")
    try:
        return TypeAdapter(kind).validate_python(content[name])
    except ValidationError as error:
        raise InputError(f"{path}: {_first_problem(name, kind, error)}") from None


def _first_problem(name: str, kind: Any, error: ValidationError) -> str:
    problem = error.errors()[0]
    key = ".".join(str(part) for part in (name, *problem["loc"]))
    if problem["type"] == "extra_forbidden":
        model = kind
        for part in problem["loc"][:-1]:
            model = _section(model.model_fields[part].annotation)
        return _unknown(key, [f"{key.rpartition('.')[0]}.{field}" for field in model.model_fields])
    if problem["type"] == "missing":
        return f"{key} is missing"
    message = problem["msg"].removeprefix("Value error, ")
    return f"{key} is {_shown(problem['input'])}: {message[0].lower()}{message[1:]}"


def _section(annotation: Any) -> Any:
    """The section that an annotation names, be it optional."""
    kinds = (annotation, *typing.get_args(annotation))
    return next(kind for kind in kinds if hasattr(kind, "model_fields"))


def _unknown(key: str, accepted: list[str]) -> str:
    close = difflib.get_close_matches(key, accepted, n=1)
    hint = f"did you mean {close[0]}?" if close else f"accepted: {', '.join(accepted)}"
    return f"unknown key {key}; {hint}"


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
