"""Several runs as one: means and their intervals."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit  # the quantiles of Student's t; scipy.stats takes a second


def summary(results: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Mean, half-width of the 95 % interval by Student's t, and n of every figure.

    Args:
        results: metrics of equal structure; what isn't a number in all of them is left out.
    """
    figures = [dict(_leaves(result)) for result in results]
    collected: dict[str, Any] = {}
    for path in figures[0]:
        if not all(path in figure for figure in figures):
            continue
        inner = collected
        for key in path[:-1]:
            inner = inner.setdefault(key, {})
        inner[path[-1]] = interval(np.array([figure[path] for figure in figures]))
    return collected


def rows(study: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What a study comes to as a table: a row for each mean, of every case.

    Args:
        study: the content of its file in `metrics/studies/`.
    """
    found = []
    for case, means in study["summary"].items():
        for value, of_value in means.items() if "against" in study else [("", means)]:
            about = {"case": case} | ({study["against"]: value} if "against" in study else {})
            found += [
                about
                | {"question": question, "name": path[0], "figure": ".".join(path[1:])}
                | {key: mean[key] for key in ("mean", "ci95", "n")}
                for question, figures in of_value.items()
                for path, mean in _means(figures)
            ]
    return found


def interval(values: npt.NDArray[np.float64]) -> dict[str, float]:
    """Mean and half-width of its 95 % interval by Student's t; of one value, no interval (0)."""
    several = len(values) > 1
    deviation = values.std(ddof=1) if several else 0.0
    half = stdtrit(len(values) - 1, 0.975) * deviation / len(values) ** 0.5 if several else 0.0
    return {"mean": float(values.mean()), "ci95": float(half), "n": len(values)}


def plain(figure: Mapping[str, Any]) -> dict[str, Any]:
    """The means of a summary under their names, and their half-widths under `NAME_ci95`."""
    means = {key: value["mean"] for key, value in figure.items() if "mean" in value}
    halves = {f"{key}_ci95": value["ci95"] for key, value in figure.items() if "mean" in value}
    return means | halves


def _leaves(
    tree: Mapping[str, Any], path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], float]]:
    """The numbers of nested mappings, with their paths."""
    for key, value in tree.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, (*path, key))
        elif isinstance(value, int | float) and not isinstance(value, bool):
            yield (*path, key), float(value)


def _means(
    tree: Mapping[str, Any], path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Mapping[str, float]]]:
    """The means of nested mappings, with their paths."""
    for key, value in tree.items():
        if "mean" in value and isinstance(value["mean"], float):
            yield (*path, key), value
        else:
            yield from _means(value, (*path, key))
