"""Measures of learning one class after another: what is known after each step, and what is lost."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.core.labelled import Labelled
from pipeline.new_class.evaluation.learned import Method
from pipeline.scoring.names import SEEN
from pipeline.scoring.predictions import Predictions

Matrix = npt.NDArray[np.float64]


def tasks(test: Labelled) -> list[list[int]]:
    """The old classes, and the new ones of each step."""
    old = [label for label in range(len(test.classes)) if label not in test.new]
    return [old, *test.steps]


def answers(method: Method, base: Method, on_test: Predictions) -> list[npt.NDArray[np.int64]]:
    """The classes that test images are taken for: before the first step, and after each."""
    models = (base.model, *method.after)
    return [on_test.logits(model).argmax(1).numpy() for model in models]


def matrix(answered: Sequence[npt.NDArray[np.int64]], test: Labelled) -> Matrix:
    """The accuracy after each step (rows, the base first) on the classes of each (columns).

    It is NaN where a step has no test image.
    """
    parts = [np.isin(test.labels, task) for task in tasks(test)]
    return np.array(
        [
            [(given == test.labels)[part].mean() if part.any() else np.nan for part in parts]
            for given in answered
        ]
    )


def measures(accuracies: Matrix, classes: int) -> dict[str, float]:
    """What a matrix of accuracies comes to; the mean is over steps, however many classes they have.

    Forgetting is that of arXiv 1801.10112 (the best that was reached before minus what is left),
    the others are those of arXiv 1706.08840. The forward transfer is held against an answer at
    random.

    Args:
        accuracies: `(steps + 1, steps + 1)`, the base among them.
        classes: how many there are, of which each is as likely at random.
    """
    last, learned = accuracies[-1], np.diag(accuracies)
    before = accuracies[:-1, :-1].max(0)
    return {
        "average_accuracy": _mean(last),
        "average_forgetting": _mean(before - last[:-1]),
        "backward_transfer": _mean((last - learned)[:-1]),
        "forward_transfer": _mean(np.diag(accuracies, 1)) - 1 / classes,
    }


def _mean(values: Matrix) -> float:
    """Over the steps that have test images; NaN if none has."""
    there = values[~np.isnan(values)]
    return float(there.mean()) if len(there) else math.nan


def rows(
    compared: Sequence[Method], on_test: Predictions, test: Labelled
) -> tuple[list[dict[str, Any]], dict[str, dict[str, Any]]]:
    """The accuracies of all methods that learned in steps, and what they come to.

    Args:
        compared: methods, the base first.
        on_test: runs models on the test images.
        test: these.

    Returns:
        For each method and step a row for the classes of every step, and one for all seen by then;
        and the measures of each method, with `accuracy_after` each step on all seen by then.
    """
    base, *others = compared
    table: list[dict[str, Any]] = []
    measured: dict[str, dict[str, Any]] = {}
    new = (" ".join(test.classes[label] for label in step) for step in test.steps)
    names = ["old classes", *new]
    for method in others:
        if not method.after:
            continue
        answered = answers(method, base, on_test)
        accuracies = matrix(answered, test)
        of_all_seen = {}
        for step, given in enumerate(answered):
            seen = np.isin(test.labels, np.concatenate(tasks(test)[: step + 1]))
            of_seen = _mean((given == test.labels)[seen].astype(float))
            for name, accuracy in [*zip(names, accuracies[step], strict=True), (SEEN, of_seen)]:
                row = {"method": method.name, "step": step, "classes": name, "accuracy": accuracy}
                table.append(row)
            of_all_seen[str(step)] = of_seen
        measured[method.name] = {
            **measures(accuracies, len(test.classes)),
            "accuracy_after": of_all_seen,
        }
    return table, measured


def with_measures(
    figures: Mapping[str, dict[str, Any]], measured: Mapping[str, dict[str, Any]]
) -> dict[str, Any]:
    """The figures of merit of all methods, with those of methods that learned in steps."""
    return {name: values | measured.get(name, {}) for name, values in figures.items()}
