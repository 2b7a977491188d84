"""Claims that one thing is better than another: by how much it is, on each set of images.

All functions take the content of the file of a study that has claims.
"""

import json
from collections.abc import Mapping
from typing import Any

from pipeline.scoring.names import title
from pipeline.scoring.tables import Results, Table

ALIKE = ("methods", "seed", "split.seed")
"""Settings that say nothing of what is compared."""


def table(study: Results) -> Table:
    """A row for each claim: what is compared, the effects in points, and what follows."""
    header = ["claim", "claimed better", "worse", "of", *map(_name, study["values"]), "it"]
    rows = [header]
    for claim in study["claims"]:
        shown = [
            f"{100 * effect['mean']:+.2f} ± {100 * effect['ci95']:.2f}"
            for effect in claim["effects"].values()
        ]
        rows.append([claim["text"], *compared(study, claim), *shown, verdict(claim)])
    return rows


def verdict(claim: Mapping[str, Any]) -> str:
    """Whether a claim holds: where the interval of an effect lies above the margin as a whole."""
    seen = {
        100 * (effect["mean"] - effect["ci95"]) > -claim["margin"]
        for effect in claim["effects"].values()
    }
    return "depends" if len(seen) > 1 else "holds" if True in seen else "not shown"


def compared(study: Results, claim: Mapping[str, Any]) -> tuple[str, str, str]:
    """The sides of a claim, as methods or as changed parameters, and what is measured of both."""
    (case, figure), (other, other_figure) = claim["better"], claim["worse"]
    method, _, measure = figure.partition(".")
    other_method = other_figure.partition(".")[0]
    if case == other:
        return title(method), title(other_method), _measure(measure)
    of = f"{title(method)}: {_measure(measure)}"
    return _changed(study, case), _changed(study, other), of


def _changed(study: Results, case: str) -> str:
    """What a case changes of the usual parameters."""
    settings = next(cell["settings"] for cell in study["cells"].values() if cell["case"] == case)
    changed = {key: settings[key] for key in settings if key not in (*ALIKE, study["against"])}
    shown = [f"`{key.removeprefix('+')}` {_value(value)}" for key, value in changed.items()]
    return ", ".join(shown) or "as usual"


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_value(each)}" for key, each in value.items())
    return f"{value:g}" if isinstance(value, float) else str(value)


def _measure(name: str) -> str:
    return {"accuracy": "all classes", "accuracy_old": "old classes"}[name]


def _name(value: str) -> str:
    return title(str(json.loads(value)))
