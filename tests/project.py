"""A copy of this project in a folder of its own, driven by real commands."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
SMALL: dict[str, Any] = {
    "data": {"dataset": "digits"},
    "pretrain": {"epochs": 4},
    "sequential": {"trials": 10},
    "lora": {"trials": 10},
    "shapes": {"images": {"train": 40, "validation": 20, "test": 20}},
    "shapes_pretrain": {"epochs": 2},
}


class Project:
    """A DVC project in a folder of its own, driven by real commands."""

    def __init__(self, folder: Path):
        self.folder = folder

    def run(self, *command: str, code: int = 0) -> str:
        """Runs a command in the project, and returns what it printed."""
        environment = os.environ | {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "GIT_CONFIG_GLOBAL": os.devnull,
        }
        done = subprocess.run(
            command, cwd=self.folder, env=environment, text=True, capture_output=True, check=False
        )
        assert done.returncode == code, f"{command}\n{done.stdout}\n{done.stderr}"
        return done.stdout + done.stderr

    def repro(self) -> list[str]:
        """Runs `dvc repro`, and returns the stages that ran."""
        return stages_run(self.run("dvc", "repro"))

    def set(self, changes: dict[str, Any]) -> None:
        """Changes values of params.yaml."""
        path = self.folder / "params.yaml"
        path.write_text(yaml.safe_dump(_merged(yaml.safe_load(path.read_text()), changes)))

    def append(self, file: str, text: str) -> None:
        """Adds text to a file."""
        with (self.folder / file).open("a") as stream:
            stream.write(text)

    def commit(self, message: str = "change") -> None:
        """Commits everything."""
        self.run("git", "add", "--all")
        author = ("-c", "user.name=Test", "-c", "user.email=test@example.org")
        self.run("git", *author, "commit", "--quiet", "--allow-empty", "--message", message)


def stages_run(output: str) -> list[str]:
    """The names of the stages that DVC says it ran."""
    return [line.split("'")[1] for line in output.splitlines() if line.startswith("Running stage")]


def copy_sources(destination: Path) -> None:
    """Copies what git tracks, or would, but no results."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, text=True, capture_output=True, check=True)
    for name in filter(None, listed.stdout.split("\0")):
        if name == "dvc.lock" or name.startswith(("metrics/", "plots/")):
            continue
        if (ROOT / name).is_file():
            (destination / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, destination / name)


def _merged(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    return old | {
        key: _merged(old[key], value)
        if isinstance(value, dict) and isinstance(old.get(key), dict)
        else value
        for key, value in new.items()
    }
