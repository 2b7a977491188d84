"""Studies on a Dask cluster whose workers see neither the checkout nor its cache."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.project import Project, until
from tests.studies.toy import define, ran, study, variables

pytestmark = pytest.mark.slow

pytest.importorskip("distributed")
LOCAL = ("--host", "127.0.0.1", "--no-dashboard")
HIDDEN = 'mount -t tmpfs none "$0" && exec "$@"'
"""For a shell in a mount namespace of its own: hides a folder from a program."""


def hides() -> bool:
    done = subprocess.run(("unshare", "--mount", "true"), capture_output=True, check=False)
    return done.returncode == 0


# What is not cached, as metrics, is in no remote: the second stage makes it anew.
DAG = """
stages:
  all:
    cmd: python stage.py && mv metrics data
    deps: [stage.py]
    params: [seed]
    outs: [data]
  score:
    cmd: mkdir -p metrics && cp data/toy.json metrics
    deps: [data]
    metrics:
      - metrics/toy.json: {cache: false}
"""


@pytest.fixture
def shared(toy: Project) -> Project:
    """A project with a remote of DVC, and one of git, to which nothing was pushed yet."""
    (toy.folder / "dvc.yaml").write_text(DAG)
    toy.run("dvc", "remote", "add", "--quiet", "--default", "store", str(toy.folder.parent / "dvc"))
    toy.commit()
    toy.run("git", "init", "--quiet", "--bare", str(toy.folder.parent / "origin"))
    toy.run("git", "remote", "add", "origin", str(toy.folder.parent / "origin"))
    return toy


def push(project: Project, seeds: list[int]) -> None:
    define(project, seeds)
    project.run("git", "push", "--quiet", "origin", "HEAD")


@contextmanager
def cluster(project: Project, count: int) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """A scheduler's address, and its workers, for whom the project's folder is empty."""
    file = project.folder.parent / "scheduler.json"
    places = project.folder.parent / "workers"
    environment = os.environ | variables(project) | {"TMPDIR": str(places), "GIT_CONFIG_GLOBAL": ""}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    places.mkdir()
    scheduler = [sys.executable, "-m", "distributed.cli.dask_scheduler", *LOCAL, "--port", "0"]
    worker = [sys.executable, "-m", "distributed.cli.dask_worker", *LOCAL, "--no-nanny"]
    worker += ["--nthreads", "1", "--scheduler-file", str(file)]
    hidden = ["unshare", "--mount", "sh", "-c", HIDDEN, str(project.folder), *worker]
    with ExitStack() as stack:

        def start(command: list[str]) -> "subprocess.Popen[bytes]":
            process = stack.enter_context(subprocess.Popen(command, cwd=places, env=environment))
            stack.callback(process.kill)
            return process

        start([*scheduler, "--scheduler-file", str(file)])
        until(file.exists)
        yield json.loads(file.read_text())["address"], [start(hidden) for _ in range(count)]


def results(project: Project) -> dict[str, Any]:
    """What a study came to, but for times."""
    content = project.json("metrics/studies/toy.json")
    for cell in content["cells"].values():
        del cell["seconds"]
    return dict(content)


@pytest.mark.skipif(not hides(), reason="no folder can be hidden from a process here")
def test_a_cluster_gives_what_this_machine_does_though_a_worker_is_killed(shared: Project) -> None:
    push(shared, [1, 2, 150])
    with cluster(shared, 2) as (address, workers):
        environment = variables(shared) | {"DASK_SCHEDULER_ADDRESS": address}
        command = [sys.executable, "-m", "pipeline", "study", "toy"]
        with subprocess.Popen(
            command, cwd=shared.folder, env=os.environ | environment, stderr=subprocess.PIPE
        ) as process:
            try:
                seen = shared.folder.with_name("ran")
                until(lambda: seen.exists() and "150" in ran(shared))
                busy = [worker for worker in workers if below(worker.pid, "stage.py")]
                assert len(busy) == 1
                busy[0].kill()
                assert process.wait(120) == 0
            finally:
                process.kill()
        there = results(shared)
        assert ran(shared) == ["1", "150", "150", "2"]
        # What was brought to the remote is not run again, but taken from there.
        (shared.folder / "metrics/studies/toy.json").unlink()
        for clone in (shared.folder.parent / "workers").glob("retain-*"):
            subprocess.run(("rm", "-r", clone), check=True)
        shared.run(*command, environment=environment)
        assert ran(shared) == ["1", "150", "150", "2"]
        assert results(shared) == there
        assert not list((shared.folder.parent / "workers").glob("retain-*/project/.dvc/tmp/*/*/*"))
    (shared.folder / "metrics/studies/toy.json").unlink()
    study(shared, "toy")
    assert results(shared) == there
    assert ran(shared) == ["1", "1", "150", "150", "150", "2", "2"]


def below(pid: int, name: str) -> bool:
    """Whether a process has a descendant with a name in its command."""
    return any(name in " ".join(each.cmdline()) for each in psutil.Process(pid).children(True))


def test_what_workers_cannot_clone_is_one_line(shared: Project) -> None:
    with cluster(shared, 1) as (address, _):
        environment = variables(shared) | {"DASK_SCHEDULER_ADDRESS": address}
        command = (sys.executable, "-m", "pipeline", "study", "toy")
        told = shared.run(*command, environment=environment, code=2)
        assert "push it first" in told.splitlines()[-1]
        push(shared, [1])
        define(shared, [2])
        told = shared.run(*command, environment=environment, code=2)
        assert "push it first" in told.splitlines()[-1]
        shared.run("git", "remote", "remove", "origin")
        told = shared.run(*command, environment=environment, code=2)
        assert "no remote `origin`" in told.splitlines()[-1]
