"""A copy of this project in a folder of its own, driven by real commands."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
CONTENDERS = ("transfer", "scratch", "random", "fine_tuned")
STUDY = {
    "trials": 4,
    "strengths": [0.0, 0.5, 1.0, 2.0],
    "search": {"epochs": {"low": 1, "high": 3}},
}
SMALL: dict[str, Any] = {
    "data": {"dataset": "digits"},
    "pretrain": {"epochs": 4},
    "joint": {"epochs": 1},
    "statistics": {"rank": 5, "width": 200},
    "analytic": {"widths": [100, 200]},
    "sequential": STUDY,
    "lora": STUDY,
    "shapes": {"images": {"train": 40, "validation": 20, "test": 20}},
    "shapes_pretrain": {"epochs": 2},
    "transfer_both": {"epochs": 1},
    "label_efficiency": {"images": [2, 5]} | {name: {"steps": 10} for name in CONTENDERS},
    "transfer": {name: {"epochs": 2} for name in CONTENDERS},
    "wide_pretrain": {"epochs": 3},
    "rank_sweep": {
        "ranks": [1, 4],
        "learning_rates": {"lora": [0.001]},
        "setting": {"epochs": 1},
        "published": {"epochs": 1},
    },
}


# Loaded by every Python process that has its folder on the path, the workers of a study too.
HOOK = """
import json, os, sys

def note(event, arguments):
    if event == "open" and isinstance(arguments[0], (str, bytes, os.PathLike)):
        path = os.path.realpath(os.fsdecode(arguments[0]))
        writes = bool((arguments[2] or 0) & (os.O_WRONLY | os.O_RDWR))
        os.write(log, (json.dumps([path, writes]) + "\\n").encode())

if "DVC_STAGE" in os.environ:
    name = os.path.join(os.path.dirname(__file__), os.environ["DVC_STAGE"])
    log = os.open(name, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    sys.addaudithook(note)
"""


class Project:
    """A DVC project in a folder of its own, driven by real commands."""

    def __init__(self, folder: Path):
        self.folder = folder

    def run(
        self,
        *command: str,
        code: int = 0,
        audited: bool = False,
        environment: Mapping[str, str] | None = None,
    ) -> str:
        """Runs a command in the project, and returns what it printed."""
        variables = os.environ | {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "RETAIN_WORKERS": "1",
            **(environment or {}),
        }
        if audited:
            self.audit.mkdir()
            (self.audit / "sitecustomize.py").write_text(HOOK)
            variables["PYTHONPATH"] = str(self.audit)
        done = subprocess.run(
            command, cwd=self.folder, env=variables, text=True, capture_output=True, check=False
        )
        assert done.returncode == code, f"{command}\n{done.stdout}\n{done.stderr}"
        return done.stdout + done.stderr

    @property
    def audit(self) -> Path:
        """The folder of the audit's records, beside the project."""
        return self.folder.with_name("audit")

    def opened(self, stage: str) -> list[str]:
        """What a stage opened in an audited run: JSON lines of path and whether to write."""
        return (self.audit / stage).read_text().splitlines()

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


def fresh_clone(project: Path, clone: Path) -> None:
    """Clones a project as it is committed, and puts a mirror of MNIST beside it if it has one."""
    subprocess.run(["git", "clone", "--quiet", project, clone], check=True)
    if (shared := project.parent / "shared").exists():
        (clone.parent / "shared").symlink_to(shared)


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
