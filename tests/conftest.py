"""A small project for the tests: this one on the bundled digits, run once by DVC."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.compute import Compute
from tests.project import SMALL, Project, copy_sources

# The tests compute as the stages do; PyTorch reads the settings but once.
Compute(device="cpu", threads=2, reproducible=True).start()


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The project after `dvc repro`, committed; to be copied, not changed."""
    project = Project(tmp_path_factory.mktemp("finished") / "project")
    project.folder.mkdir()
    copy_sources(project.folder)
    project.run("git", "init", "--quiet", "--initial-branch=main")
    project.set(SMALL)
    project.repro()
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
    """Changes values of params.yaml in `sources`."""
    return Project(sources).set
