"""A small project for the tests: this one on the bundled digits, run once by DVC."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from pipeline.learning.compute import Compute
from tests.project import SMALL, Project, copy_sources

# The tests compute as the stages do; PyTorch reads the settings but once.
Compute(device="cpu", threads=2, reproducible=True).start()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that need the finished project are slow, and come first: one worker finishes it."""

    def needs_it(item: pytest.Item) -> bool:
        return "finished" in getattr(item, "fixturenames", ())

    for item in filter(needs_it, items):
        item.add_marker("slow")
    items.sort(key=needs_it, reverse=True)


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The project after `dvc repro`, committed; to be copied, not changed."""
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    project = Project(shared / "finished" / "project")
    with FileLock(shared / "lock"):
        if not project.folder.exists():
            project.folder.mkdir(parents=True)
            copy_sources(project.folder)
            project.run("git", "init", "--quiet", "--initial-branch=main")
            project.set(SMALL)
            project.run("dvc", "repro", audited=True)
            project.commit("results")
    return project


@pytest.fixture
def project(finished: Project, tmp_path: Path) -> Project:
    """A copy of the finished project, with its cache."""
    shutil.copytree(finished.folder, tmp_path / "project", symlinks=True)
    return Project(tmp_path / "project")


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the project's sources alone, as the current directory."""
    copy_sources(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def edit(sources: Path) -> Callable[[dict[str, Any]], None]:
    """Changes values of params.yaml in `sources`, by dotted keys."""
    return Project(sources).set
