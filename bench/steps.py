"""One class after another: our methods beside strategies of Avalanche, from the same base."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tqdm import tqdm

from bench.copies import COPIES, temporary
from bench.timing import isolated
from pipeline.core import artifacts, dag, params
from pipeline.studies import checkout, definitions, dvc, graph, grid, parts
from pipeline.studies.summary import summary

STUDY = "steps"
CASE = "mnist"
SEEDS = (0, 1, 2)
BUDGET = 20
"""Images of a class that our methods keep which keep images: those of Avalanche's default."""
METHODS = ("replay", "dark_replay", "slda", "gaussian_replay", "analytic", "finetune_all")
STRATEGIES = ("Replay", "EWC", "LwF", "SLDA")
"""Named here, so that the library is loaded in the processes that need it alone."""
FIGURES = ("accuracy", "average_forgetting")

Figures = dict[str, dict[str, float]]


def measure() -> dict[str, Any]:
    """Runs the pipeline and the strategies, three seeds.

    Returns:
        `ours` and `avalanche`: of each learner the means, as `summary` gives them, of `FIGURES`
        and `seconds`, which ours take with their starts.
    """
    runs = [run(seed) for seed in tqdm(SEEDS, desc="seeds", unit="run")]
    return summary(runs)


def run(seed: int) -> dict[str, Figures]:
    """The figures of all learners with a seed."""
    COPIES.mkdir(exist_ok=True)
    with temporary(COPIES.resolve()) as folder:
        return {
            "ours": ours(folder, settings(seed)),
            "avalanche": {
                name: figures(isolated("bench.avalanche_strategies:learn", name, str(folder), seed))
                for name in STRATEGIES
            },
        }


def settings(seed: int) -> dict[str, Any]:
    """The parameters of the study's first run of the case, but for these methods and this seed."""
    cell = next(cell for cell in grid.cells(definitions.load(STUDY)) if cell.case == CASE)
    budgets = {f"{name}.budget": BUDGET for name in METHODS[:2]}
    return {**cell.settings, **budgets, "methods": list(METHODS), "seed": seed, "split.seed": seed}


def ours(project: Path, changes: Mapping[str, Any]) -> Figures:
    """Runs the first question in a copy of what is committed; the figures of its methods."""
    checkout.committed(project, Path.cwd())
    checkout.configure(project, None)
    checkout.set_parameters(project, changes)
    content = params.read(project / params.PARAMS)
    checkout.set_stages(project, parts.run_with(content, dag.stages(project)))
    seconds = dvc.repro(project, ["evaluate"])
    found = artifacts.load_json(project / graph.metric("new_class"))
    return {name: figures(found[name] | {"seconds": seconds[name]}) for name in METHODS}


def figures(found: Mapping[str, Any]) -> dict[str, float]:
    """Of a learner's figures those that are shown."""
    return {name: float(found[name]) for name in (*FIGURES, "seconds")}
