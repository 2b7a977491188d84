"""A project for studies."""

from pathlib import Path

import pytest

from tests.project import Project
from tests.studies.toy import DAG, STAGE, define


@pytest.fixture
def toy(tmp_path: Path) -> Project:
    project = Project(tmp_path / "project")
    files = {
        "stage.py": STAGE,
        "dvc.yaml": DAG,
        "params.yaml": "seed: 0\n",
        "pipeline/note.txt": "its own code",
    }
    for name, text in files.items():
        (project.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (project.folder / name).write_text(text)
    project.run("git", "init", "--quiet")
    project.run("dvc", "init", "--quiet")
    define(project, [1, 9])
    return project
