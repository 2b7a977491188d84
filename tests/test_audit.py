"""Declared = actual: what each stage opened, held against dvc.yaml."""

import json
from pathlib import Path

import pytest
import yaml

from tests.project import ROOT, Project

DAG = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]


def names(listed: list[str | dict[str, object]]) -> list[str]:
    return [each if isinstance(each, str) else next(iter(each)) for each in listed]


def source(path: Path) -> Path:
    """The source of a compiled module, or the path itself."""
    if path.parent.name == "__pycache__":
        return path.parent.parent / f"{path.name.split('.')[0]}.py"
    return path


@pytest.mark.parametrize("name", sorted(DAG))
def test_stage_opened_what_it_declares(name: str, finished: Project) -> None:
    read: set[str] = set()
    written: set[str] = set()
    for line in finished.opened(name):
        path, writes = json.loads(line)
        if Path(path).is_relative_to(finished.folder):
            opened = source(Path(path).relative_to(finished.folder))
            (written if writes else read).add(opened.as_posix())

    stage = DAG[name]
    declared = stage["deps"]
    outputs = names([*stage.get("outs", []), *stage.get("metrics", []), *stage.get("plots", [])])
    # A method looks its own entry up in dvc.yaml; DVC reruns a stage whose entry changed.
    own_entry = {"dvc.yaml"} if outputs[0].startswith("data/methods/") else set()
    expected = {*declared, "params.yaml", *own_entry}
    for file in read - set(outputs):
        assert any(Path(file).is_relative_to(each) for each in expected), f"{file} is not declared"
    for each in declared:
        assert any(Path(file).is_relative_to(each) for file in read), f"{each} is never read"
    # A file is written beside its place, under a hidden name, and then moved there.
    final = {
        Path(file).parent / Path(file).name.removeprefix(".").rpartition(".")[0] for file in written
    }
    for path in final:
        assert any(path.is_relative_to(each) for each in outputs), f"{path} is not declared"
    for each in outputs:
        assert any(path.is_relative_to(each) for path in final), f"{each} is never written"
