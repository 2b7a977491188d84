"""A fresh clone of the project, as it is committed."""

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

COPIES = Path(".dvc/tmp")
"""Ignored by git; from below it, mirrors that are folders are found as from the project."""


@contextmanager
def clone() -> Iterator[Path]:
    """A clone of the project in the current folder, which is removed in the end."""
    COPIES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=COPIES.resolve()) as folder:
        project = Path(folder, "main")
        subprocess.run(["git", "clone", "--quiet", Path.cwd(), project], check=True)
        yield project
