"""The pipeline as DVC runs it: from an empty cache, after one change, and with nothing to do."""

import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from bench.copies import clone, temporary
from bench.timing import seconds
from bench.usage import repro
from pipeline.core import stages
from pipeline.learning.compute import as_committed
from pipeline.studies import checkout

ROUNDS = 5
CHANGE = {"lora.rank": 8}


def measure() -> dict[str, Any]:
    """Runs the pipeline in a fresh clone.

    Returns:
        `seconds` of all, from an empty cache, and `stages`, as `usage.repro` gives them; `change`,
        seconds of `dvc repro` after another rank of LoRA is set; `nothing` and `empty`, seconds of
        `dvc repro` with nothing to do and of a pipeline without stages; and of each stage, in
        `imports`, the seconds before its first line and the packages that it has loaded by then.

    Raises:
        RuntimeError: if the results aren't the committed ones, on a processor as theirs.
    """
    with clone() as project:
        run = repro(project, "--force")  # a clone has the outputs that are in git
        if as_committed() and (changed := checkout.changes(project)):
            raise RuntimeError("\n".join(["not the committed results:", *changed]))
        no_op = nothing(project)
        checkout.set_parameters(project, CHANGE)
        change = repro(project)
    return {
        "seconds": run.seconds,
        "stages": run.stages,
        "change": change.seconds,
        **no_op,
        "imports": {name: loaded(name) for name in stages.find()},
    }


def nothing(project: Path) -> dict[str, float]:
    """Medians of the seconds of `dvc repro` in a finished project and in an empty one, in turn."""
    run = partial(subprocess.run, ["dvc", "repro"], check=True, capture_output=True)
    times: dict[str, list[float]] = {"nothing": [], "empty": []}
    with temporary() as empty:
        for command in (["git", "init", "--quiet"], ["dvc", "init", "--quiet"]):
            subprocess.run(command, cwd=empty, check=True)
        shutil.copy(project / ".dvc/config", Path(empty, ".dvc"))
        Path(empty, "dvc.yaml").write_text("stages: {}\n")
        for _ in range(ROUNDS):
            times["nothing"].append(seconds(partial(run, cwd=project)))
            times["empty"].append(seconds(partial(run, cwd=empty)))
    return {name: median(taken) for name, taken in times.items()}


def loaded(stage: str) -> dict[str, Any]:
    """The seconds before a stage's first line, and the packages that it has loaded by then."""
    command = [sys.executable, "-m", "bench.imports", stage]
    run = partial(subprocess.run, command, check=True, capture_output=True, text=True)
    times = [seconds(run) for _ in range(ROUNDS)]
    return {"seconds": median(times), "packages": run().stdout.split()}
