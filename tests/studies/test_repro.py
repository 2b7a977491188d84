"""Stages side by side, with real DVC."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml

from tests.project import ROOT, Project, hear_ctrl_c, until

pytestmark = pytest.mark.slow

STAGE = """
import pathlib, sys, time

[name, *others] = sys.argv[1:]
pathlib.Path(f"{name}.began").touch()
deadline = time.monotonic() + 60
while not all(pathlib.Path(f"{other}.began").exists() for other in others):
    if time.monotonic() > deadline:
        raise SystemExit(f"{name} is alone")
    time.sleep(0.02)
if pathlib.Path("broken").read_text() == name:
    raise SystemExit(f"{name} is broken")
pathlib.Path(f"{name}.txt").write_text(name)
"""


def stage(name: str, *deps: str, beside: str = "") -> dict[str, Any]:
    files = [f"{each}.txt" for each in deps]
    return {"cmd": f"python stage.py {name} {beside}", "deps": ["stage.py", *files],
            "outs": [f"{name}.txt"]}  # fmt: skip


@pytest.fixture
def diamonds(tmp_path: Path) -> Project:
    """Of `first` come `left` and `right`, which wait for each other, then what needs them."""
    project = Project(tmp_path / "project")
    project.folder.mkdir()
    stages = {
        "first": stage("first"),
        "left": stage("left", "first", beside="right"),
        "right": stage("right", "first", beside="left"),
        "after_left": stage("after_left", "left"),
        "after_right": stage("after_right", "right"),
        "last": stage("last", "after_left", "after_right"),
    }
    (project.folder / "dvc.yaml").write_text(yaml.safe_dump({"stages": stages}, sort_keys=False))
    (project.folder / "params.yaml").write_text("compute: {threads: 2}\n")
    (project.folder / "stage.py").write_text(STAGE)
    (project.folder / "broken").write_text("none")
    (project.folder / ".gitignore").write_text("/*.txt\n*.began\n/broken\n")
    project.run("git", "init", "--quiet")
    project.run("dvc", "init", "--quiet")
    project.commit()
    return project


def repro(project: Project, *targets: str, code: int = 0, cores: int = 4) -> str:
    command = (sys.executable, "-m", "pipeline", "repro", *targets)
    variables = {"PYTHONPATH": str(ROOT), "RETAIN_WORKERS": str(cores)}
    return project.run(*command, code=code, environment=variables)


def begin(project: Project, *names: str) -> None:
    for name in names:
        (project.folder / f"{name}.began").touch()


def test_independent_stages_run_at_once_and_lock_the_same(diamonds: Project) -> None:
    said = repro(diamonds)  # left and right would wait for each other in vain, one by one
    lines = [line.split()[0] for line in said.splitlines()]
    assert lines[0] == "first"
    assert {*lines[1:5]} == {"left", "right", "after_left", "after_right"}
    assert lines[5:] == ["last", "6"]
    lock = diamonds.folder / "dvc.lock"
    beside = yaml.safe_load(lock.read_text())
    diamonds.commit()
    assert "up to date" in diamonds.run("dvc", "repro")
    assert repro(diamonds) == "everything is up to date\n"
    lock.unlink()
    begin(diamonds, "left", "right")
    diamonds.run("dvc", "repro", "--force", "--no-run-cache")
    assert yaml.safe_load(lock.read_text()) == beside
    one_by_one = lock.read_bytes()
    diamonds.append("stage.py", "# changed\n")
    repro(diamonds)
    assert lock.read_bytes() != one_by_one
    diamonds.run("git", "checkout", "--quiet", "stage.py")
    assert "from the cache" in repro(diamonds)
    assert lock.read_bytes() == one_by_one  # on top of it: in its order


def test_stages_with_all_cores_run_one_by_one(diamonds: Project) -> None:
    begin(diamonds, "right")
    said = repro(diamonds, cores=3)
    assert [line.split()[0] for line in said.splitlines()] == [
        "first", "left", "right", "after_left", "after_right", "last", "6",
    ]  # fmt: skip


def test_only_what_targets_need_and_what_changed_is_run(diamonds: Project) -> None:
    repro(diamonds)
    diamonds.edit("dvc.yaml", {"stages.after_left.cmd": "python stage.py after_left first"})
    assert repro(diamonds, "after_right") == "everything is up to date\n"
    said = repro(diamonds)
    assert [line.split()[0] for line in said.splitlines()] == ["after_left", "1"]
    said = repro(diamonds, "after_left", "--force")
    assert [line.split()[0] for line in said.splitlines()] == ["first", "left", "after_left", "3"]
    assert "nothing" in repro(diamonds, "nothing", code=2)


def test_a_failure_stops_what_needs_it_alone(diamonds: Project) -> None:
    (diamonds.folder / "broken").write_text("left")
    said = repro(diamonds, code=2)
    assert "left is broken" in said
    assert "stage left failed; so these did not run: after_left, last" in said
    assert (diamonds.folder / "after_right.txt").exists()
    assert not (diamonds.folder / "after_left.txt").exists()
    (diamonds.folder / "broken").write_text("none")
    said = repro(diamonds)
    assert [line.split()[0] for line in said.splitlines()] == ["left", "after_left", "last", "3"]


def test_ctrl_c_ends_all_that_runs(diamonds: Project) -> None:
    diamonds.edit("dvc.yaml", {"stages.left.cmd": "python stage.py left never"})
    diamonds.edit("dvc.yaml", {"stages.right.cmd": "python stage.py right never"})
    environment = os.environ | {"PYTHONPATH": str(ROOT), "RETAIN_WORKERS": "4"}
    process = subprocess.Popen(
        [sys.executable, "-m", "pipeline", "repro"],
        cwd=diamonds.folder, env=environment, text=True, preexec_fn=hear_ctrl_c,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    try:
        until(lambda: all((diamonds.folder / f"{n}.began").exists() for n in ("left", "right")))
        children = psutil.Process(process.pid).children(recursive=True)
        assert sum("never" in child.cmdline() for child in children) >= 2
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130
    finally:
        process.kill()
    assert not psutil.wait_procs(children, timeout=10)[1]
