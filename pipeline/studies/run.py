"""The pipeline for several seeds: `python -m pipeline.replicates SEED...`.

Each seed is an experiment in DVC's queue, named `replicate-SEED`; those that the current commit has
already are not run again. Means and intervals go to `metrics/replicates.json`.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from pipeline.errors import InputError
from scipy import stats
from tqdm import tqdm

from pipeline import artifacts

FILES = ("evaluate", "rank_sweep", "transfer")
SOURCES = ("pipeline", "params.yaml", "dvc.yaml")
PARALLEL = 2
PATIENCE = 20
"""Seconds between looks at the queue, each of which takes DVC a second or two."""


def main(seeds: Sequence[int]) -> None:
    """Runs what is missing, then writes the summary and its pictures.

    Raises:
        InputError: if there are changes that aren't committed, or a replicate failed.
    """
    if changed := output("git", "status", "--porcelain", "--", *SOURCES):
        raise InputError(
            f"{changed.split()[1]} has changed: commit it first, for runs belong to one"
        )
    missing = [seed for seed in seeds if name_of(seed) not in experiments()]
    if missing:
        run(missing)
    references = experiments()
    if lost := [seed for seed in seeds if name_of(seed) not in references]:
        raise InputError(f"seed {lost[0]} failed: see `dvc queue logs {name_of(lost[0])}`")
    results = [load(references[name_of(seed)]) for seed in seeds]
    figures = summary(results)
    artifacts.save_json("metrics/replicates.json", figures)
    for name, picture in pictures(figures, results[0]).items():
        artifacts.save_bytes(f"plots/replicates_{name}.png", picture)


def name_of(seed: int) -> str:
    """The name of a seed's experiment."""
    return f"replicate-{seed}"


def experiments() -> dict[str, str]:
    """The experiments of the current commit: names to git references."""
    head = output("git", "rev-parse", "HEAD").strip()
    prefix = f"refs/exps/{head[:2]}/{head[2:]}/"
    references = output("git", "for-each-ref", "--format=%(refname)", prefix).split()
    return {reference.removeprefix(prefix): reference for reference in references}


def run(seeds: Sequence[int]) -> None:
    """Queues a replicate per seed, unless it is queued already, and waits for all."""
    lines = [line.split() for line in output("dvc", "queue", "status").splitlines()]
    for seed in seeds:
        states = [line[-1] for line in lines if name_of(seed) in line]
        if {"Queued", "Running"} & set(states):
            continue
        if states:
            output("dvc", "queue", "remove", name_of(seed))
        name = ("--name", name_of(seed), "--set-param", f"seed={seed}")
        output("dvc", "exp", "run", "--queue", *name)
    with tqdm(total=len(seeds), desc="replicates", unit="seed", disable=None) as progress:
        while progress.n < len(seeds):
            status = output("dvc", "queue", "status")
            queued, running = status.count("Queued"), status.count("Running")
            if not queued and not running:
                break
            if queued and running < PARALLEL:  # at first, and where a worker has gone
                start(PARALLEL - running)
            for _ in range(PATIENCE):
                time.sleep(1)
                done = experiments()
                progress.update(sum(name_of(seed) in done for seed in seeds) - progress.n)
                if progress.n == len(seeds):
                    break


def start(workers: int) -> None:
    """Starts workers of DVC's queue, which outlive this call; so would a pipe they were given."""
    command = ("dvc", "queue", "start", "--jobs", str(workers))
    environment = os.environ | {"GOMP_SPINCOUNT": "0"}  # as `startup.prepare` explains
    quiet = subprocess.DEVNULL
    subprocess.run(command, stdout=quiet, stderr=quiet, check=True, env=environment)


def load(reference: str) -> dict[str, Any]:
    """The metrics of an experiment."""
    return {
        name: json.loads(output("git", "show", f"{reference}:metrics/{name}.json"))
        for name in FILES
    }


def summary(results: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Mean, half-width of the 95 % interval by Student's t, and n of every figure.

    Args:
        results: metrics of equal structure; what isn't a number in all of them is left out.
    """
    figures = [dict(leaves(result)) for result in results]
    collected: dict[str, Any] = {}
    for path in figures[0]:
        if not all(path in figure for figure in figures):
            continue
        inner = collected
        for key in path[:-1]:
            inner = inner.setdefault(key, {})
        inner[path[-1]] = interval(np.array([figure[path] for figure in figures]))
    return collected


def pictures(figures: Mapping[str, Any], single: Mapping[str, Any]) -> dict[str, bytes]:
    """The comparisons with error bars, as PNG.

    Args:
        figures: mean and interval of every figure.
        single: the metrics of one seed, for what isn't a number.
    """
    from pipeline import figures as drawn  # matplotlib and torch take seconds
    from pipeline import sweep_comparison

    methods = {
        name: {"original_data": single["evaluate"][name]["original_data"]} | plain(figure)
        for name, figure in figures["evaluate"].items()
    }
    for method in methods.values():
        for key in ("accuracy", "accuracy_old", "accuracy_new"):
            half = method[f"{key}_ci95"]
            method[f"{key}_ci95"] = [method[key] - half, method[key] + half]
    sweep = figures["rank_sweep"]
    ranks = sweep_comparison.table(
        {name: plain(figure) for name, figure in sweep.items()}
        | {
            "published": {
                name: plain(figure) for name, figure in sweep.get("published", {}).items()
            }
        }
    )
    labels = [
        {"contender": name, "labels": int(count)}
        | {"accuracy": figure["mean"], "ci95": figure["ci95"]}
        for name, curve in figures["transfer"]["label_efficiency"].items()
        for count, figure in sorted(curve.items(), key=lambda each: int(each[0]))
    ]
    drawings = {
        "methods": drawn.comparison(methods),
        "rank_sweep": drawn.rank_sweep(pd.DataFrame(ranks).sort_values("rank", kind="stable")),
        "label_efficiency": drawn.label_efficiency(pd.DataFrame(labels)),
    }
    return {name: drawn.png(drawing) for name, drawing in drawings.items()}


def plain(figure: Mapping[str, Any]) -> dict[str, Any]:
    """The means under their names, and their half-widths under `NAME_ci95`."""
    means = {key: value["mean"] for key, value in figure.items() if "mean" in value}
    halves = {f"{key}_ci95": value["ci95"] for key, value in figure.items() if "mean" in value}
    return means | halves


def interval(values: np.typing.NDArray[np.float64]) -> dict[str, float]:
    """Mean and half-width of its 95 % interval by Student's t, from at least two values."""
    half = stats.t.ppf(0.975, len(values) - 1) * stats.sem(values)
    return {"mean": float(values.mean()), "ci95": float(half), "n": len(values)}


def leaves(
    tree: Mapping[str, Any], path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], float]]:
    """The numbers of nested mappings, with their paths."""
    for key, value in tree.items():
        if isinstance(value, Mapping):
            yield from leaves(value, (*path, key))
        elif isinstance(value, int | float) and not isinstance(value, bool):
            yield (*path, key), float(value)


def output(*command: str) -> str:
    """What a command prints.

    Raises:
        InputError: if it fails.
    """
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise InputError(f"{' '.join(command)}: {lines[-1]}")
    return done.stdout


def chosen(arguments: Sequence[str]) -> list[int]:
    """The seeds that a command line names.

    Raises:
        InputError: unless they are two or more different whole numbers.
    """
    if len(set(arguments)) < max(2, len(arguments)) or not all(map(str.isdecimal, arguments)):
        found = " ".join(arguments) or "nothing"
        raise InputError(f"found {found}; two or more different seeds are accepted, as in 0 1 2")
    return [int(seed) for seed in arguments]


if __name__ == "__main__":
    try:
        main(chosen(sys.argv[1:]))
    except InputError as error:
        print(f"replicates: {error}", file=sys.stderr)
        sys.exit(2)
