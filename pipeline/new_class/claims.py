"""Claims that one thing is better than another: by how much it is, on each set of images.

All functions take the content of the file of a study that has claims.
"""

import json
from collections.abc import Mapping
from typing import Any

from pipeline.new_class.held_against import MEASURES
from pipeline.scoring.names import title
from pipeline.scoring.tables import Results, Table

ALIKE = ("methods", "seed", "split.seed")
"""Settings that say nothing of what is compared."""
MEANINGS = MEASURES | {
    "accuracy_old": "old classes",
    "accuracy_old_off": "old classes, adapter off",
}


def table(study: Results) -> Table:
    """A row for each claim: what is compared, the effects in points, and what follows."""
    header = ["claim", "claimed better", "worse", "of", *map(_name, study["values"]), "it"]
    rows = [header]
    for claim in study["claims"]:
        shown = [
            f"{100 * effect['mean']:+.2f} ± {100 * effect['ci95']:.2f}" if effect else ""
            for effect in map(claim["effects"].get, study["values"])
        ]
        rows.append([claim["text"], *compared(study, claim), *shown, verdict(claim)])
    return rows


def verdict(claim: Mapping[str, Any]) -> str:
    """Whether a claim holds: where the interval of an effect lies above the margin as a whole.

    Single runs, which have no interval, show nothing.
    """
    seen = {
        100 * (effect["mean"] - effect["ci95"]) > -claim["margin"]
        for effect in claim["effects"].values()
        if effect["n"] > 1
    }
    return "depends" if len(seen) > 1 else "holds" if True in seen else "not shown"


def compared(study: Results, claim: Mapping[str, Any]) -> tuple[str, str, str]:
    """The sides of a claim, as methods or as changed parameters, and what is measured of both."""
    (case, figure), (other, other_figure) = claim["better"], claim["worse"]
    (method, measure), (other_method, _) = figure.split("."), other_figure.split(".")
    sides = [[title(method)], [title(other_method)]] if method != other_method else [[], []]
    if case != other:
        sides[0].append(_changed(study, case))
        sides[1].append(_changed(study, other))
    of = MEANINGS[measure] if method != other_method else f"{title(method)}: {MEANINGS[measure]}"
    return ", ".join(sides[0]), ", ".join(sides[1]), of


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


def _name(value: str) -> str:
    return title(str(json.loads(value)))
