"""The figures on the model card of an exported model."""

from collections.abc import Mapping
from typing import Any

from scipy.stats import binomtest

from pipeline.app.models import Predictor
from pipeline.app.results import REPLICATES
from pipeline.core import artifacts
from pipeline.scoring.tables import Table, markdown, number, percent


def text(predictor: Predictor, metrics: Mapping[str, Any]) -> str:
    """A table of this model's figures, with 95 % intervals, beside the base and several seeds.

    Args:
        predictor: the model.
        metrics: the content of `metrics/new_class.json`.
    """
    own, base = metrics[predictor.method], metrics["base"]
    new = sum(predictor.card.test_images[label] for label in predictor.new)
    old = sum(predictor.card.test_images) - new
    shares = {
        "accuracy": old + new,
        "accuracy_old": old,
        "accuracy_new": new,
        "negative_flips": old,
    }
    several = _several(predictor.method, metrics)
    rows: Table = [["test data", "this model", "95 % interval", "base"]]
    for key, images in shares.items():
        name = f"{key.replace('_', ' ')}, %"
        rows.append([name, percent(own[key]), _interval(own[key], images), percent(base[key])])
    for key in ("calibration_error", "loss"):
        rows.append([key.replace("_", " "), number(own[key], 4), "one run", number(base[key], 4)])
    note = (
        "Accuracy on all classes, on old and on new ones; negative flips are images of old classes "
        "that the base has right and this model has wrong. Intervals are Wilson's, over images."
    )
    if several:
        [seeds] = {figure["n"] for key, figure in several.items() if key in shares}
        for row, key in zip(rows[1:], (*shares, "calibration_error", "loss"), strict=True):
            row.append(percent(several.get(key)) if key in shares else number(several[key], 4))
        rows[0].append(f"{seeds} seeds")
        note += " Of several seeds, this among them: mean ± half of the 95 % interval."
    return f"{markdown(rows)}\n\n{note}"


def _interval(share: float | None, images: int) -> str:
    """Wilson's interval of a share of some images; – where there is none to have it of."""
    if share is None:
        return "–"
    found = binomtest(round(share * images), images).proportion_ci(method="wilson")
    return f"{percent(found.low)} to {percent(found.high)}"


def _several(method: str, metrics: Mapping[str, Any]) -> Mapping[str, Any]:
    """The figures of the study of seeds, if this very run is one of its cells."""
    if not REPLICATES.exists():
        return {}
    study = artifacts.load_json(REPLICATES)
    for cell in study["cells"].values():
        if cell["metrics"].get("new_class", {}).get(method) == metrics[method]:
            found: Mapping[str, Any] = study["summary"][cell["case"]]["new_class"][method]
            return found
    return {}
