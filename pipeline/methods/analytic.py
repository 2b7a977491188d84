"""Ridge regression on random features, in closed form: adds the new classes to the kept sums."""

import math
from itertools import product
from operator import itemgetter
from pathlib import Path
from typing import Annotated, Any

import torch
from pydantic import Field
from torch import Tensor

from pipeline.core.errors import InputError
from pipeline.core.labelled import Labelled
from pipeline.core.params import Count, Distinct, Positive, Section
from pipeline.learning import loading, models
from pipeline.learning.compute import Compute
from pipeline.learning.networks import NEVER, Classifier
from pipeline.learning.validation import Validation
from pipeline.new_class import results
from pipeline.new_class.results.steps import one_after_another
from pipeline.techniques.statistics.ridge import Projection, Sums

SUMS = Path("data/statistics/sums.safetensors")


class Analytic(Section):
    """What is chosen from: numbers of random features and ridges, and scales of the logits.

    The sums themselves choose the former, by generalised cross-validation; validation data choose
    the scale, which turns the regression's outputs, near 0 and 1, into logits.
    """

    widths: Annotated[list[Count], Field(min_length=1), Distinct]
    ridges: Annotated[list[Positive], Field(min_length=1), Distinct]
    scales: Annotated[list[Positive], Field(min_length=1), Distinct]


@one_after_another
def main(compute: Compute, analytic: Analytic) -> None:
    device = compute.start()
    base = results.load_base()
    new = Labelled.load("data/features/new_train")
    held_out = results.validation_without_old_images()
    validation = Validation.of(held_out, "overall", torch.device("cpu"))

    old, projection = Sums.load(SUMS)
    if not old.moments.any():
        results.left_out("analytic", "statistics of the old classes")
        return
    if (largest := max(analytic.widths)) > projection.width:
        raise InputError(
            f"params.yaml: analytic.widths has {largest}, but statistics.width is "
            f"{projection.width}"
        )
    features, labels = loading.tensors(device, new)
    sums = old.plus(Sums.of(projection, features, labels, len(new.classes)))
    study = cross_validated(sums, analytic)
    best = min(study, key=itemgetter("loss"))
    weight = sums.first(best["width"]).solve(best["ridge"])

    outputs = projection(validation.inputs)[:, : weight.shape[1]] @ weight.T
    never = ~weight.any(1)

    def loss(scale: float) -> float:
        return validation.measure((scale * outputs).masked_fill(never, NEVER).float())["loss"]

    scale = min(analytic.scales, key=loss)
    kept_bytes = SUMS.stat().st_size + results.kept_to_choose()  # the latter for the scale
    model = assembled(base, projection, scale * weight)
    results.save("analytic", model, base, kept_bytes=kept_bytes, study=study)


def cross_validated(sums: Sums, analytic: Analytic) -> list[dict[str, Any]]:
    """Every width with every ridge, and what generalised cross-validation says of them.

    Returns:
        Rows of `trial`, `score` (the share of the labels, as vectors of length 1, that the
        regression explains), `width`, `ridge`, and `loss`; none of what the sums can't tell.

    Raises:
        InputError: if they can't tell any.
    """
    rows = []
    for trial, (width, ridge) in enumerate(product(analytic.widths, analytic.ridges)):
        loss = sums.first(width).cross_validated(ridge)
        if math.isfinite(loss):
            row = {"trial": trial, "score": 1 - loss, "width": width, "ridge": ridge, "loss": loss}
            rows.append(row)
    if not rows:
        raise InputError(
            f"params.yaml: analytic.ridges is {analytic.ridges}, too small for the features of "
            f"{int(sums.counts.sum())} images; larger ones accepted"
        )
    return rows


def assembled(base: Classifier, projection: Projection, weight: Tensor) -> Classifier:
    """The base's trunk, the random layer, and the classifier `(classes, width)` on it."""
    width = weight.shape[1]
    model = models.build(base.description | {"hidden": [width]})
    model.trunk.load_state_dict(base.trunk.state_dict())
    inputs = model.head.get_parameter("dense_1.weight").shape[1]
    random_weight, random_bias = projection.layer(inputs)
    model.head.load_state_dict(
        {
            "dense_1.weight": random_weight[:width],
            "dense_1.bias": random_bias[:width],
            "output.weight": weight.float(),
            "output.bias": torch.where(weight.any(1), 0, NEVER),
        }
    )
    model.requires_grad_(False)
    model.head.get_parameter("output.weight").requires_grad_(True)
    return model
