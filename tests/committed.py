"""`python -m tests.committed` says whether the results in this folder are those committed.

They are to the bit where the processor computes as theirs; elsewhere every accuracy is held
against those of the seeds in `metrics/studies/replicates.json`.
"""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipeline.core import artifacts
from pipeline.learning.compute import as_committed
from pipeline.studies import dag

RESULTS = ("dvc.lock", "metrics", "plots")
REPLICATES = Path("metrics/studies/replicates.json")
LEAST = 0.01
"""How far an accuracy may be from those of the seeds, if twice their range is less."""


def main() -> int:
    """Prints what differs, a line each; returns the exit code."""
    if as_committed():
        different, known = changed(), "those committed, to the bit"
    else:
        different, known = list(far()), "as near to those committed as other seeds are"
    print(*different or [f"The results are {known}."], sep="\n")
    return int(bool(different))


def changed(folder: Path = Path()) -> list[str]:
    """The results of a project that differ from those committed there, as git says it."""
    command = ["git", "status", "--porcelain", "--", *RESULTS]
    done = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.splitlines()


def far() -> Iterator[str]:
    """The accuracies that are farther from those of all seeds than these are from each other."""
    cells = artifacts.load_json(REPLICATES)["cells"].values()
    for name in ("new_class", "ranks", "shapes"):
        runs = [dict(accuracies(cell["metrics"][name])) for cell in cells]
        for key, value in accuracies(artifacts.load_json(dag.metric(name))):
            others = [run[key] for run in runs if key in run]
            least, most = min(others), max(others)
            margin = max(2 * (most - least), LEAST)
            if not least - margin <= value <= most + margin:
                yield f"{name}: {key} is {value:.4f}; with other seeds {least:.4f} to {most:.4f}"


def accuracies(content: Any, path: str = "") -> Iterator[tuple[str, float]]:
    """The accuracies anywhere in a metrics file, by their dotted names."""
    if isinstance(content, dict):
        for key, value in content.items():
            yield from accuracies(value, f"{path}.{key}" if path else key)
    elif isinstance(content, float) and "accuracy" in path:
        yield path, content


if __name__ == "__main__":
    sys.exit(main())
