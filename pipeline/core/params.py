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
from typing import Annotated, Any, TypeVar

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
)

from pipeline.core import stages
from pipeline.core.errors import InputError

PARAMS = Path("params.yaml")
OWN = ("data", "methods", "network")
"""Sections of the first question that no stage has the name of."""

Seed = Annotated[int, Field(ge=0, lt=2**32, strict=True)]
Fraction = Annotated[float, Field(ge=0, lt=1)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1)]
Batch = Annotated[int, Field(ge=1, le=1_000_000)]


def _distinct(values: list[Any]) -> list[Any]:
    if twice := [value for value in values if values.count(value) > 1]:
        raise ValueError(f"{twice[0]} is named twice")
    return values


Distinct = AfterValidator(_distinct)
"""Marks a list whose values must differ."""


def _class_name(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError(f"unquoted yes, no, true and false are {value}: quote the class's name")
    return str(value) if isinstance(value, int | float) else value


ClassName = Annotated[str, BeforeValidator(_class_name)]
"""A class by its name; a number is the class of that name, never an index."""


def _no_tilde(value: str) -> str:
    if value.startswith("~"):
        raise ValueError(f"~ is not expanded by DVC; write {Path.home()}{value[1:]} or the like")
    return value


Place = Annotated[str, Field(min_length=1), AfterValidator(_no_tilde)]
"""A file or folder of the user's own."""


class Section(BaseModel):
    """A section of params.yaml: no unknown keys, no silent conversions."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


Model = TypeVar("Model", bound=Section)


class _Loader(yaml.SafeLoader):
    """PyYAML with the floats of YAML 1.2, which DVC writes (`3e-4`), and no key given twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys: set[Any] = set()
        for key, _ in node.value:
            if key.tag != "tag:yaml.org,2002:merge" and isinstance(key, yaml.ScalarNode):
                if key.value in keys:
                    raise yaml.constructor.ConstructorError(
                        None, None, f"key {key.value} is given twice", key.start_mark
                    )
                keys.add(key.value)
        return super().construct_mapping(node, deep)


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]+$"),
    list("-+0123456789"),
)


def arguments(
    main: Callable[..., object], path: Path = PARAMS, content: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Validates the sections that a stage's `main` names in its signature.

    Args:
        main: a stage's entry point; each argument is a section, its annotation the schema.
        path: the YAML file.
        content: of the file, if it has been read before.

    Returns:
        One validated value per argument of `main`.

    Raises:
        InputError: naming the file, the key, what was found and what is accepted.
    """
    hints = typing.get_type_hints(main, include_extras=True)
    given = read(path) if content is None else content
    return {
        name: _validate(path, section, hints[name], given)
        for name, section in sections(main).items()
    }


def sections(main: Callable[..., object]) -> dict[str, str]:
    """The arguments of a stage's `main`, and where in params.yaml each stands."""
    found = [stage for stage in stages.find().values() if stage.module == main.__module__]
    stage = found[0] if found else stages.Stage(main.__module__, "")
    return {name: stage.section(name) for name in inspect.signature(main).parameters}


def read(path: Path = PARAMS) -> dict[str, Any]:
    """Reads all sections, as plain values, and refuses those that no stage has.

    Raises:
        InputError: if the file is missing, isn't YAML or holds a section unknown to every stage.
    """
    content = parsed(path)
    _known(path, "", content, [*stages.SHARED, *OWN, *_sections_of(""), *stages.QUESTIONS])
    for question in stages.QUESTIONS:
        if question in content:
            _known(path, question, content[question], _sections_of(question))
    return dict(content)


def load(path: Path, kind: type[Model]) -> Model:
    """Reads a YAML file that is one section as a whole.

    Raises:
        InputError: if the file is missing, isn't YAML or is refused.
    """
    try:
        return kind.model_validate(parsed(path))
    except ValidationError as error:
        raise InputError(f"{path}: {_first_problem('', kind, error)}") from None


def parsed(path: Path) -> Any:
    """Reads any YAML file as DVC writes it.

    Raises:
        InputError: if it is missing or isn't YAML.
    """
    try:
        return yaml.load(path.read_text("utf-8"), _Loader)
    except FileNotFoundError:
        raise InputError(f"{path}: not found in {Path.cwd()}") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise InputError(f"{path}: not readable as YAML: {' '.join(str(error).split())}") from None


def _sections_of(question: str) -> list[str]:
    names = [name for name, stage in stages.find().items() if stage.question == question]
    return [name.removeprefix(f"{question}_") for name in names]


def _known(path: Path, parent: str, content: Any, accepted: list[str]) -> None:
    where = f"{path}: {parent} " if parent else f"{path}: "
    if not isinstance(content, dict):
        raise InputError(f"{where}holds {_shown(content)}; a mapping of sections is accepted")
    prefix = f"{parent}." if parent else ""
    for name in content:
        if name not in accepted:
            raise InputError(
                f"{path}: {_unknown(f'{prefix}{name}', [prefix + a for a in accepted])}"
            )


def _validate(path: Path, section: str, kind: Any, content: Mapping[str, Any]) -> Any:
    value: Any = content
    for part in section.split("."):
        if part not in value:
            raise InputError(f"{path}: section {section} is missing")
        value = value[part]
    try:
        return TypeAdapter(kind).validate_python(value)
    except ValidationError as error:
        raise InputError(f"{path}: {_first_problem(section, kind, error)}") from None


def _first_problem(section: str, kind: Any, error: ValidationError) -> str:
    # Of a value that may be of two kinds, what is furthest from being refused as a whole.
    problem = max(error.errors(), key=lambda each: len(_place(each["loc"])))
    place = _place(problem["loc"])
    key = ".".join(str(part) for part in (section, *place) if part != "")
    if problem["type"] == "extra_forbidden":
        model = kind
        for part in place[:-1]:
            if part in model.model_fields:  # else the key of a mapping, or the place in a list
                model = _model(model.model_fields[part].annotation)
        parent = "".join(key.rpartition(".")[:2])
        return _unknown(key, [f"{parent}{field}" for field in model.model_fields])
    if problem["type"] == "missing":
        return f"{key} is missing"
    message = problem["msg"].removeprefix("Value error, ")
    if not key:
        return f"holds {_shown(problem['input'])}; a mapping accepted"
    return f"{key} is {_shown(problem['input'])}: {message[0].lower()}{message[1:]}"


def _place(location: tuple[int | str, ...]) -> list[int | str]:
    """Keys and indices, without the kinds of value that pydantic names among them."""
    kinds = {kind.__name__ for kind in _kinds(Section)}
    return [p for p in location if p not in kinds and not re.match(r"[\w-]+[\[(]", str(p))]


def _kinds(section: type[Section]) -> list[type[Section]]:
    inner = (kind for child in section.__subclasses__() for kind in _kinds(child))
    return [section, *inner]


def _model(annotation: Any) -> Any:
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
