"""A copy of this project in a folder of its own, driven by real commands."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

from pipeline.studies import checkout

ROOT = Path(__file__).parents[1]


def hear_ctrl_c() -> None:
    """For a child's start: the tests may run in the background, where a shell ignores Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


CONTENDERS = ("frozen", "scratch", "random", "fine_tuned")
SMALL: dict[str, Any] = {
    "data.source": "digits",
    "pretrain.epochs": 4,
    "pretrain.least_steps": 0,
    "replay.least_steps": 0,
    "joint.epochs": 1,
    "joint.least_steps": 0,
    "statistics.rank": 5,
    "statistics.width": 200,
    "analytic.widths": [100, 200],
    "new_row.samples": 100,
    "last_layer.least_steps": 0,
    "finetune_all.least_steps": 0,
    "reft.samples": 500,
    "distillation.least_steps": 0,
    "fisher.images": 5,
    "ewc.least_steps": 0,
    "icarl.least_steps": 0,
    "dark_replay.least_steps": 0,
    "ranks.images.source": "digits",
    "ranks.pretrain.epochs": 3,
    "ranks.sweep.ranks": [1, 4],
    "ranks.sweep.learning_rates.lora": [0.001],
    "ranks.sweep.trial_steps": 4,
    "ranks.sweep.setting.epochs": 1,
    "ranks.sweep.published.epochs": 1,
    "shapes.draw.images": {"train": 40, "validation": 20, "test": 20},
    "shapes.pretrain.epochs": 2,
    "shapes.both.epochs": 1,
    "shapes.few_labels.images": [2, 5],
}
"""Parameters with which the whole pipeline takes a minute or two."""
for _section in ("sequential", "lora"):
    SMALL[f"{_section}.trials"] = 4
    SMALL[f"{_section}.strengths"] = [0.0, 0.5, 1.0, 2.0]
    SMALL[f"{_section}.search.epochs"] = {"low": 1, "high": 3}
for _name in CONTENDERS:
    SMALL[f"shapes.transfer.{_name}.epochs"] = 2
    SMALL[f"shapes.few_labels.{_name}.steps"] = 10


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
            self.audit.mkdir(exist_ok=True)
            (self.audit / "sitecustomize.py").write_text(HOOK)
            variables["PYTHONPATH"] = str(self.audit)
        done = subprocess.run(
            command, cwd=self.folder, env=variables, text=True, capture_output=True, check=False
        )
        assert done.returncode == code, f"{command}\n{done.stdout}\n{done.stderr}"
        return done.stdout + done.stderr

    def pipeline(self, *arguments: str, code: int = 0) -> str:
        """Runs `python -m pipeline`, and returns what it printed."""
        return self.run(sys.executable, "-m", "pipeline", *arguments, code=code)

    @property
    def audit(self) -> Path:
        """The folder of the audit's records, beside the project."""
        return self.folder.with_name("audit")

    def opened(self, stage: str) -> list[str]:
        """What a stage opened in an audited run: JSON lines of path and whether to write."""
        return (self.audit / stage).read_text().splitlines()

    def repro(self, *targets: str) -> list[str]:
        """Runs `dvc repro`, and returns the stages that ran."""
        return stages_run(self.run("dvc", "repro", *targets))

    def json(self, name: str) -> Any:
        """The content of a JSON file."""
        return json.loads((self.folder / name).read_text())

    def set(self, changes: Mapping[str, Any]) -> None:
        """Changes values of params.yaml, by dotted keys, whether they are known or not."""
        self.edit("params.yaml", changes)

    def edit(self, file: str, changes: Mapping[str, Any]) -> None:
        """Changes values of a YAML file, by dotted keys; None in place of a mapping removes it."""
        path = self.folder / file
        content = yaml.safe_load(path.read_text())
        for key, value in changes.items():
            *parents, last = key.split(".")
            section = content
            for name in parents:
                section = section.setdefault(name, {})
            if value is None and isinstance(section.get(last), dict):
                del section[last]
            else:
                section[last] = value
        path.write_text(yaml.safe_dump(content, sort_keys=False))

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
    checkout.sources(destination, ROOT)


def until(condition: Callable[[], bool]) -> None:
    """Waits a minute at most."""
    for _ in range(600):
        if condition():
            return
        time.sleep(0.1)
    raise TimeoutError
