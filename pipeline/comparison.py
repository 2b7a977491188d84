"""The comparison of the methods: the figures and tables that `evaluate` saves."""

from itertools import combinations
from typing import Any

from torch import Tensor

from pipeline import adapters, scoring
from pipeline.datasets import Labelled
from pipeline.methods import Method
from pipeline.predictions import Predictions

Rows = list[dict[str, Any]]


def figures(learned: list[Method], logits: dict[str, Tensor], test: Labelled) -> dict[str, Any]:
    """The figures of merit of every method; the first is the base."""
    result: dict[str, Any] = {}
    for method in learned:
        values = logits[method.name]
        measured = scoring.measure(values, test.labels)
        measured |= scoring.measure_new(values, test.labels, test.new)
        base = result.get("base", measured)
        result[method.name] = measured | {
            "forgetting": base["accuracy_old"] - measured["accuracy_old"],
            **{key: value for key, value in method.facts.items() if key != "strengths"},
        }
    return result


def predictions(logits: dict[str, Tensor], test: Labelled) -> Rows:
    """A row per image: its class, and the class that each method takes it for."""
    predicted = {name: values.argmax(1).tolist() for name, values in logits.items()}
    return [
        {"actual": test.classes[label]}
        | {name: test.classes[classes[index]] for name, classes in predicted.items()}
        for index, label in enumerate(test.labels)
    ]


def confusion(logits: dict[str, Tensor], test: Labelled) -> Rows:
    """A row per method and pair of classes: how many images of the one it takes for the other."""
    rows = []
    for name, values in logits.items():
        table = scoring.confusion(test.labels, values.argmax(1).numpy(), len(test.classes))
        rows += [
            {"method": name, "actual": actual, "predicted": predicted, "images": table[i, j]}
            for i, actual in enumerate(test.classes)
            for j, predicted in enumerate(test.classes)
        ]
    return rows


def detection(logits: dict[str, Tensor], test: Labelled) -> Rows:
    """How well each method tells new classes from old ones: a row per method and threshold."""
    return [
        {"method": name, **row}
        for name, values in logits.items()
        for row in scoring.curves_new(values, test.labels, test.new)
    ]


def mcnemar(logits: dict[str, Tensor], test: Labelled) -> Rows:
    """A row per pair of methods."""
    hits = {name: values.argmax(1).numpy() == test.labels for name, values in logits.items()}
    return [
        {"first": one, "second": other} | scoring.mcnemar(hits[one], hits[other])
        for one, other in combinations(hits, 2)
    ]


def strength(learned: list[Method], on: Predictions, part: str) -> Rows:
    """A row per method and strength: accuracies on one part of the data."""
    base = learned[0].model
    rows = []
    for method in learned:
        if method.tuned is None:
            continue
        for value in method.facts["strengths"]:
            model = adapters.interpolate(base, method.tuned, value)
            hits = on.logits(model).argmax(1).numpy() == on.data.labels
            rows.append(
                {
                    "method": method.name,
                    "data": part,
                    "strength": value,
                    "chosen": value == method.facts["strength"],
                    "accuracy": hits.mean(),
                    "accuracy_old": hits[~on.data.is_new].mean(),
                    "accuracy_new": hits[on.data.is_new].mean(),
                }
            )
    return rows


def collected(learned: list[Method], table: str) -> Rows:
    """The rows of one table of every method that has it."""
    return [
        {"method": method.name, **row}
        for method in learned
        if getattr(method, table) is not None
        for row in getattr(method, table).to_dict("records")
    ]


def mistakes(logits: dict[str, Tensor], test: Labelled, count: int) -> Rows:
    """A row for each of the mistakes that a method is surest of."""
    return [
        {"method": name, **row}
        for name, values in logits.items()
        for row in scoring.confident_mistakes(values, test.labels, count)
    ]
