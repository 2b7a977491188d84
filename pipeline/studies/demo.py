"""`python -m pipeline demo` runs the pipeline on small bundled digits, in a copy.

Some methods are shown. The shapes are left out: with as few images as would do for a
demonstration, transfer loses.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from pipeline.core import dag, params
from pipeline.core.errors import InputError
from pipeline.studies import checkout, parts
from pipeline.studies.repro import repro

METHODS = ["replay", "lora", "analytic", "new_row", "finetune_all"]
SETTINGS = {
    "compute.threads": 1,
    "data.source": "digits",
    "methods": METHODS,
    "pretrain.epochs": 5,
    "lora.trials": 8,
    "lora.batch": 16,
    "statistics.width": 1000,
    "analytic.widths": [1000],
    "ranks.images.source": "digits",
    "ranks.sweep.ranks": [1, 8],
    "ranks.sweep.setting.epochs": 3,
    "ranks.sweep.published.epochs": 1,
}
"""Fewer images, methods, trials, ranks and epochs than by default, and a core for each stage."""
STAGES = ["plot", "ranks_plot"]


def main(arguments: list[str]) -> None:
    """Runs the first two questions in a copy that is thrown away, and prints the results."""
    if arguments:
        raise InputError(f"found {arguments[0]}; nothing is accepted behind demo")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        checkout.sources(folder, Path())
        checkout.configure(folder, cache=None)
        checkout.set_parameters(folder, SETTINGS)
        content = params.read(folder / params.PARAMS)
        checkout.set_stages(folder, parts.run_with(content, dag.stages(folder)))
        repro(folder, STAGES, print)
        print(flush=True)
        command = [sys.executable, "-m", "pipeline", "results"]
        subprocess.run(command, cwd=folder, check=True)
    commit = checkout.git(Path(), "describe", "--always", "--dirty").decode().strip()
    print(f"\nAt commit {commit}, in a copy that is gone; `make repro` keeps pictures and tables.")
