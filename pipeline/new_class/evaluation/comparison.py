"""The comparison of the methods: the figures and tables that `evaluate` saves."""

import math
from itertools import combinations
from typing import Any

from torch import Tensor

from pipeline.core.artifacts import Records
from pipeline.core.labelled import Labelled
from pipeline.new_class.evaluation.learned import Method
from pipeline.scoring import measures
from pipeline.scoring.predictions import Predictions
from pipeline.techniques.strength import interpolate


def figures(learned: list[Method], logits: dict[str, Tensor], test: Labelled) -> dict[str, Any]:
    """The figures of merit of every method; the first is the base.

    `negative_flips` is the share of the images of old classes that the base has right and the
    method has wrong; `epochs_to_95`, of the base, what its training took to 95 % of its best
    validation accuracy.
    """
    result: dict[str, Any] = {}
    for method in learned:
        values = logits[method.name]
        measured = measures.measure(values, test.labels)
        measured |= measures.measure_new(values, test.labels, test.new)
        base = result.get("base", measured)
        before = logits["base"].argmax(1).numpy() == test.labels
        after = values.argmax(1).numpy() == test.labels
        flipped = (before & ~after)[~test.is_new]
        result[method.name] = measured | {
            "forgetting": base["accuracy_old"] - measured["accuracy_old"],
            "negative_flips": flipped.mean() if len(flipped) else math.nan,
            **{key: value for key, value in method.facts.items() if key != "strengths"},
        }
        if method.name == "base" and method.curve:
            result["base"]["epochs_to_95"] = _epochs_to(0.95, method.curve)
    return result


def _epochs_to(share: float, curve: Records) -> int:
    """The first epoch whose validation accuracy is a share of the best one's."""
    enough = share * max(row["accuracy"] for row in curve)
    return next(int(row["epoch"]) for row in curve if row["accuracy"] >= enough)


def predictions(values: Tensor, test: Labelled) -> Records:
    """A row per image: its class, and the class that a method takes it for."""
    return [
        {"actual": test.classes[label], "predicted": test.classes[predicted]}
        for label, predicted in zip(test.labels, values.argmax(1).tolist(), strict=True)
    ]


def confusion(logits: dict[str, Tensor], test: Labelled) -> Records:
    """A row per method and pair of classes: how many images of the one it takes for the other."""
    rows = []
    for name, values in logits.items():
        table = measures.confusion(test.labels, values.argmax(1).numpy(), len(test.classes))
        rows += [
            {"method": name, "actual": actual, "predicted": predicted, "images": table[i, j]}
            for i, actual in enumerate(test.classes)
            for j, predicted in enumerate(test.classes)
        ]
    return rows


def detection(logits: dict[str, Tensor], test: Labelled) -> Records:
    """How well each method tells new classes from old ones: a row per method and threshold."""
    return [
        {"method": name, **row}
        for name, values in logits.items()
        for row in measures.curves_new(values, test.labels, test.new)
    ]


def mcnemar(logits: dict[str, Tensor], test: Labelled) -> Records:
    """A row per pair of methods."""
    hits = {name: values.argmax(1).numpy() == test.labels for name, values in logits.items()}
    return [
        {"first": one, "second": other} | measures.mcnemar(hits[one], hits[other])
        for one, other in combinations(hits, 2)
    ]


def strength(learned: list[Method], on: Predictions, part: str) -> Records:
    """A row per method and strength: accuracies on one part of the data."""
    base = learned[0].model
    rows = []
    for method in learned:
        if method.tuned is None:
            continue
        for value in method.facts["strengths"]:
            model = interpolate(base, method.tuned, value)
            hits = on.logits(model).argmax(1).numpy() == on.data.labels
            is_new = on.data.is_new
            rows.append(
                {
                    "method": method.name,
                    "data": part,
                    "strength": value,
                    "chosen": value == method.facts["strength"],
                    "accuracy": hits.mean(),
                    "accuracy_old": hits[~is_new].mean() if not is_new.all() else math.nan,
                    "accuracy_new": hits[is_new].mean(),
                }
            )
    return rows


def studies(learned: list[Method]) -> Records:
    """The rows of the study of every method that has one."""
    return [{"method": method.name, **row} for method in learned for row in method.study]


def mistakes(logits: dict[str, Tensor], test: Labelled, count: int) -> Records:
    """A row for each of the mistakes that a method is surest of."""
    return [
        {"method": name, **row}
        for name, values in logits.items()
        for row in measures.confident_mistakes(values, test.labels, count)
    ]
