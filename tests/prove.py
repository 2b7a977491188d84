"""Reruns the pipeline, from an empty cache in fresh clones, under other conditions: `make prove`.

Every run must give the committed `dvc.lock`, metrics and plots: on another processor than
theirs, commit your own first. `python -m tests.prove NAME...` runs some of the cases.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from pipeline.core import dag
from pipeline.studies import checkout
from tests.project import ROOT, fresh_clone
from tests.whole.test_reproducible import HOSTILE

SINGLE = ["repro", "--single-item"]
SHAPES = ["shapes_transfer", "shapes_both", "shapes_few_labels"]
IN_GIT = [*SINGLE, "--force", "plot", "ranks_evaluate", "ranks_plot", "shapes_plot"]
"""Runs the stages whose outputs are all in git, so that a fresh clone has them."""
ONE_AFTER_ANOTHER = [[["repro"]], [IN_GIT]]
DAG = dag.stages(ROOT)
METHODS = [name for name in DAG if f"data/methods/{name}" in dag.outputs(DAG[name])]
SIDE_BY_SIDE = [
    [["repro", "split", "ranks_images"]],
    # One by one, for a stage that is looked at must not be read by another at that time.
    [[*SINGLE, "pretrain", "features"], [*SINGLE, "ranks_pretrain"], ["repro", *SHAPES]],
    [[*SINGLE, "statistics", "fisher"], [*SINGLE, "ranks_sweep"]],
    [[*SINGLE, *METHODS[::2]], [*SINGLE, *METHODS[1::2]]],
    [["repro"]],
    [IN_GIT],
]


@dataclass(frozen=True)
class Case:
    """Conditions of a run.

    Attributes:
        cores: how many it may use (None: all).
        environment: further variables.
        folder: the clone's name.
        steps: DVC's commands, those of a step at the same time.
    """

    cores: int | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    folder: str = "retain"
    steps: Sequence[Sequence[Sequence[str]]] = field(default_factory=lambda: ONE_AFTER_ANOTHER)


CASES = {
    "again": Case(environment={"RETAIN_WORKERS": "2"}),
    "one core": Case(cores=1, environment={"RETAIN_WORKERS": "1"}),
    "elsewhere": Case(
        environment=HOSTILE | {"RETAIN_WORKERS": "4"},
        folder="a päth, with spaces",
        steps=SIDE_BY_SIDE,
    ),
}


def main(names: Sequence[str]) -> int:
    """Runs cases and says which results are the committed ones; returns the exit code."""
    different = 0
    for name in names:
        start = time.monotonic()
        try:
            changed = run(CASES[name], ROOT)
        except subprocess.CalledProcessError as error:
            changed = f"failed: {error}"
        minutes = (time.monotonic() - start) / 60
        print(f"{name}: {minutes:.0f} min, {changed or 'the same to the last bit'}", flush=True)
        different += bool(changed)
    return int(different > 0)


def run(case: Case, project: Path) -> str:
    """Runs the pipeline in a fresh clone of a project.

    Returns:
        Which results differ from those committed there, as git says it; empty if none does.
    """
    with tempfile.TemporaryDirectory() as place:
        clone = Path(place, case.folder, "main")
        fresh_clone(project, clone)
        pinned = ["taskset", "--cpu-list", cores(case.cores)] if case.cores else []
        environment = os.environ | case.environment
        dvc = partial(command, *pinned, "dvc", "--wait-for-lock", cwd=clone, env=environment)
        for step in case.steps:
            with ThreadPoolExecutor() as pool:
                for done in [pool.submit(dvc, *arguments) for arguments in step]:
                    done.result()
        return "\n".join(checkout.changes(clone)).strip()


def cores(count: int) -> str:
    """The first of the cores that this process may use, as `taskset` takes them."""
    return ",".join(map(str, sorted(os.sched_getaffinity(0))[:count]))


def command(*arguments: str | Path, **settings: object) -> str:
    """What a command prints; its errors go to the terminal."""
    done = subprocess.run(  # type: ignore[call-overload]
        arguments, check=True, stdout=subprocess.PIPE, text=True, **settings
    )
    return str(done.stdout).strip()


if __name__ == "__main__":
    chosen = sys.argv[1:] or list(CASES)
    if unknown := [name for name in chosen if name not in CASES]:
        print(f"prove: {unknown[0]!r}; accepted: {', '.join(CASES)}", file=sys.stderr)
        sys.exit(2)
    sys.exit(main(chosen))
