"""Folders that are there for a while, and a fresh clone of the project, as it is committed."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

COPIES = Path(".dvc/tmp")
"""Ignored by git; from below it, mirrors that are folders are found as from the project."""

_folders: set[Path] = set()


@contextmanager
def temporary(parent: Path | None = None) -> Iterator[Path]:
    """A new folder, which is removed in the end; without `parent` it lies with all such."""
    with tempfile.TemporaryDirectory(dir=parent) as name:
        folder = Path(name)
        _folders.add(folder)
        yield folder
    _folders.remove(folder)


def remove() -> None:
    """Removes those that are there, for a process that ends at once."""
    for folder in _folders:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def clone() -> Iterator[Path]:
    """A clone of the project in the current folder, which is removed in the end."""
    COPIES.mkdir(exist_ok=True)
    with temporary(COPIES.resolve()) as folder:
        project = folder / "main"
        subprocess.run(["git", "clone", "--quiet", Path.cwd(), project], check=True)
        yield project
