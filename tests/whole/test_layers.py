"""Who may know whom, by the imports of every file."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.core import stages
from tests.project import ROOT

BANDS = (
    {"core"},
    {"sources"},
    {"learning"},
    {"techniques", "search", "scoring"},
    {"new_class", "ranks", "shapes"},
    {"methods", "studies", "app"},
    {"bench"},
)
"""A room may import those of the bands before its own."""
SIBLINGS = {("techniques", "search")}
HEIGHT = {room: height for height, band in enumerate(BANDS) for room in band}
SCRIPTS = tuple(stage.module for stage in stages.find().values())

FILES = {
    str(file.relative_to(ROOT)): ast.parse(file.read_text())
    for folder in ("pipeline", "bench", "tests")
    for file in sorted((ROOT / folder).rglob("*.py"))
}
Import = tuple[str, str]
"""A file and the dotted name that it imports."""


def imported(node: ast.AST) -> list[str]:
    match node:
        case ast.Import():
            return [each.name for each in node.names]
        case ast.ImportFrom():
            return [f"{'.' * node.level}{node.module}.{each.name}" for each in node.names]
        case _:
            return []


def imports(*folders: str) -> Iterator[Import]:
    """What the files of some folders import, at their tops or within functions."""
    for file, tree in FILES.items():
        if file.startswith(folders):
            yield from ((file, name) for node in ast.walk(tree) for name in imported(node))


def room(module: str) -> str:
    """The room of a file's or a module's dotted name."""
    parts = module.split(".")
    return parts[1] if parts[0] == "pipeline" else parts[0]


def allowed(file: str, name: str) -> bool:
    own, other = room(".".join(Path(file).with_suffix("").parts)), room(name)
    if own == "__main__" or own == other or (own, other) in SIBLINGS:
        return True
    return HEIGHT.get(other, len(BANDS)) < HEIGHT[own]


def test_every_room_has_a_place() -> None:
    found = {room(".".join(Path(file).parts)) for file in FILES if file.startswith("pipeline/")}
    assert found - {"__main__"} <= set(HEIGHT)


def test_rooms_import_those_below_and_no_siblings() -> None:
    assert not [
        (file, name)
        for file, name in imports("pipeline/", "bench/")
        if name.startswith(("pipeline.", "bench.", ".")) and not allowed(file, name)
    ]


def test_nobody_imports_a_script() -> None:
    assert not [
        (file, name)
        for file, name in imports("")
        if any(f"{name}.".startswith(f"{script}.") for script in SCRIPTS)
    ]


@pytest.mark.parametrize(("folder", "other"), [("tests/", "bench"), ("bench/", "tests")])
def test_tests_and_bench_do_not_import_each_other(folder: str, other: str) -> None:
    assert not [(file, name) for file, name in imports(folder) if name.split(".")[0] == other]


def test_one_file_reads_the_parameters() -> None:
    named = {
        file
        for file, tree in FILES.items()
        for node in ast.walk(tree)
        if file.startswith("pipeline/")
        and isinstance(node, ast.Call | ast.BinOp)
        and any(
            isinstance(part, ast.Constant) and part.value == "params.yaml"
            for part in ast.iter_child_nodes(node)
        )
    }
    assert named == {"pipeline/core/params.py"}


def test_figures_alone_know_matplotlib() -> None:
    drawing = {file for file, name in imports("pipeline/") if name.startswith("matplotlib")}
    assert drawing == {"pipeline/scoring/style.py"} | {
        file for file in FILES if file.startswith("pipeline/") and file.endswith("figures.py")
    }
