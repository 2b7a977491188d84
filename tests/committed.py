"""`python -m tests.committed` says whether the results in this folder are those committed.

They are to the bit where the processor computes as theirs; elsewhere dvc.lock must
name the same code, and every accuracy is held against those of the seeds in
`metrics/studies/replicates.json`.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from pipeline.core import artifacts
from pipeline.learning.compute import as_committed
from pipeline.studies import checkout, graph

REPLICATES = Path("metrics/studies/replicates.json")
LEAST = 0.01
"""How far an accuracy may be from those of the seeds, if twice their range is less."""


def main() -> int:
    """Prints what differs, a line each; returns the exit code."""
    if as_committed():
        different, known = checkout.changes(Path()), "those committed, to the bit"
    else:
        different, known = [*stale(), *far()], "as near to those committed as other seeds are"
    print(*different or [f"The results are {known}."], sep="\n")
    return int(bool(different))


def stale() -> Iterator[str]:
    """What differs though a processor changes none of it.

    These are the stages' commands, parameters and code in dvc.lock, and what is made of the same
    without PyTorch.
    """
    locks = checkout.git(Path(), "show", "HEAD:dvc.lock"), artifacts.load_bytes(Path("dvc.lock"))
    before, now = (yaml.safe_load(lock)["stages"] for lock in locks)
    if before.keys() != now.keys():
        yield f"dvc.lock: other stages: {', '.join(sorted(before.keys() ^ now.keys()))}"
    for name in before.keys() & now.keys():
        (old, old_code), (new, new_code) = parts(before[name]), parts(now[name])
        if old_code != new_code:
            yield f"dvc.lock: {name}: other code, command or parameters"
        elif old["deps"] == new["deps"] and "pipeline/learning" not in old["deps"] and old != new:
            yield f"dvc.lock: {name}: other outputs from the same"


def parts(entry: Any) -> tuple[Any, Any]:
    """Of a stage's entry in dvc.lock the hashes of its files; its command, parameters and code."""
    hashes = {
        kind: {each["path"]: each["md5"] for each in entry.get(kind, [])}
        for kind in ("deps", "outs")
    }
    code = {path: md5 for path, md5 in hashes["deps"].items() if path.startswith("pipeline")}
    return hashes, (entry["cmd"], entry.get("params"), code)


def far() -> Iterator[str]:
    """The accuracies that are farther from those of all seeds than these are from each other."""
    cells = artifacts.load_json(REPLICATES)["cells"].values()
    for name in ("new_class", "ranks", "shapes"):
        runs = [dict(accuracies(cell["metrics"][name])) for cell in cells]
        for key, value in accuracies(artifacts.load_json(graph.metric(name))):
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
