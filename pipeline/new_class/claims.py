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
    rows = [["claim", "what is compared", *map(_name, study["values"]), "it"]]
    for claim in study["claims"]:
        shown = [
            f"{100 * effect['mean']:+.2f} ± {100 * effect['ci95']:.2f}"
            for effect in claim["effects"].values()
        ]
        rows.append([claim["text"], compared(study, claim), *shown, verdict(claim)])
    return rows


def verdict(claim: Mapping[str, Any]) -> str:
    """Whether a claim holds: where the interval of an effect lies above the margin as a whole."""
    seen = {
        100 * (effect["mean"] - effect["ci95"]) > -claim["margin"]
        for effect in claim["effects"].values()
    }
    return "depends" if len(seen) > 1 else "holds" if True in seen else "does not hold"


def compared(study: Results, claim: Mapping[str, Any]) -> str:
    """What differs between the sides of a claim: methods, or parameters; and in which figure."""
    (case, figure), (other, other_figure) = claim["better"], claim["worse"]
    method, _, measure = figure.partition(".")
    if case == other:
        return f"{title(method)}, {title(other_figure.partition('.')[0])}: {_measure(measure)}"
    settings = {cell["case"]: cell["settings"] for cell in study["cells"].values()}
    varied = [
        f"`{key.removeprefix('+')}` {settings[one][key]}"
        for one, two in ((case, other), (other, case))
        for key in settings[one]
        if key not in (*ALIKE, study["against"]) and settings[one][key] != settings[two].get(key)
    ]
    return f"{', '.join(varied)}; {title(method)}: {_measure(measure)}"


def _measure(name: str) -> str:
    return {"accuracy": "all classes", "accuracy_old": "old classes"}[name]


def _name(value: str) -> str:
    return title(str(json.loads(value)))
