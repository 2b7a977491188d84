"""Declared = actual: what each stage opens, held against dvc.yaml."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.project import ROOT, Project

DAG = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]

# Loaded by every Python process with this folder on its path, the workers of a study too.
HOOK = """
import json, os, sys

def note(event, arguments):
    if event == "open" and isinstance(arguments[0], (str, bytes, os.PathLike)):
        path = os.path.realpath(os.fsdecode(arguments[0]))
        writes = bool((arguments[2] or 0) & (os.O_WRONLY | os.O_RDWR))
        line = json.dumps([path, writes]) + "\\n"
        os.write(log, line.encode())

log = os.open(os.environ["OPENED"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
sys.addaudithook(note)
"""


def names(listed: list[str | dict[str, object]]) -> list[str]:
    return [each if isinstance(each, str) else next(iter(each)) for each in listed]


def source(path: Path) -> Path:
    """The source of a compiled module, or the path itself."""
    if path.parent.name == "__pycache__":
        return path.parent.parent / f"{path.name.split('.')[0]}.py"
    return path


@pytest.mark.parametrize("name", sorted(DAG))
def test_stage_opens_what_it_declares(name: str, project: Project, tmp_path: Path) -> None:
    (tmp_path / "hook").mkdir()
    (tmp_path / "hook/sitecustomize.py").write_text(HOOK)
    environment = os.environ | {
        "OPENED": str(tmp_path / "opened"),
        "PYTHONPATH": str(tmp_path / "hook"),
        "RETAIN_WORKERS": "1",
    }
    command = [sys.executable, "-m", "pipeline", name]
    subprocess.run(command, cwd=project.folder, env=environment, check=True, capture_output=True)

    read: set[str] = set()
    written: set[str] = set()
    for line in (tmp_path / "opened").read_text().splitlines():
        path, writes = json.loads(line)
        if Path(path).is_relative_to(project.folder):
            opened = source(Path(path).relative_to(project.folder))
            (written if writes else read).add(opened.as_posix())

    stage = DAG[name]
    declared = stage["deps"]
    outputs = names([*stage.get("outs", []), *stage.get("metrics", []), *stage.get("plots", [])])
    # A method looks its own entry up in dvc.yaml; DVC reruns a stage whose entry changed.
    expected = {*declared, "params.yaml"} | ({"dvc.yaml"} if "methods/" in outputs[0] else set())
    for file in read - set(outputs):
        assert any(Path(file).is_relative_to(each) for each in expected), f"{file} is not declared"
    for each in declared:
        assert any(Path(file).is_relative_to(each) for file in read), f"{each} is never read"
    for file in written:
        whole = Path(file).parent / Path(file).name.removeprefix(".").rpartition(".")[0]
        assert any(whole.is_relative_to(each) for each in outputs), f"{file} is not declared"
    for each in outputs:
        assert (project.folder / each).exists(), f"{each} is never written"
