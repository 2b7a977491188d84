"""Predictions to figures of merit."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import binomtest
from sklearn import metrics
from torch import Tensor

Classes = npt.NDArray[np.int64]


def measure(logits: Tensor, actual: Classes) -> dict[str, Any]:
    """Figures of merit of a model on a set of images.

    Args:
        logits: `(n, classes)`, float32.
        actual: `(n,)`, the right classes.

    Returns:
        Fractions, but for `loss`: the mean negative log-likelihood, nats. `accuracy_ci95` is
        Wilson's interval; `macro` figures are means over the classes.
    """
    probabilities = logits.double().softmax(1).numpy()
    predicted = probabilities.argmax(1)
    hits = predicted == actual
    interval = binomtest(int(hits.sum()), len(hits)).proportion_ci(method="wilson")
    classes = range(probabilities.shape[1])
    precision, recall, f1, _ = metrics.precision_recall_fscore_support(
        actual, predicted, labels=classes, average="macro", zero_division=0
    )
    return {
        "accuracy": hits.mean(),
        "accuracy_ci95": [interval.low, interval.high],
        "precision_macro": precision,
        "recall_macro": recall,
        "f1_macro": f1,
        "loss": metrics.log_loss(actual, probabilities, labels=classes),
        "calibration_error": calibration_error(probabilities.max(1), hits),
    }


def measure_new(logits: Tensor, actual: Classes, new: Sequence[int]) -> dict[str, Any]:
    """How a model does on new classes, and on old ones.

    Args:
        logits: `(n, classes)`, float32.
        actual: `(n,)`, the right classes, old and new ones among them.
        new: indices of the new classes.

    Returns:
        Fractions, NaN where there are no images of old classes. Precision, recall and F1 are means
        over the new classes; `auroc_new` and `average_precision_new` rate their summed probability
        as a score of new against old; `new_against_old` counts images in a 2×2 table.
    """
    probabilities = logits.double().softmax(1).numpy()
    predicted = probabilities.argmax(1)
    is_new, taken_for_new = np.isin(actual, new), np.isin(predicted, new)
    hits = predicted == actual
    precision, recall, f1, _ = metrics.precision_recall_fscore_support(
        actual, predicted, labels=new, average="macro", zero_division=0
    )
    newness = probabilities[:, new].sum(1)
    table = metrics.confusion_matrix(is_new, taken_for_new, labels=[False, True])
    return {
        "accuracy_old": hits[~is_new].mean() if not is_new.all() else math.nan,
        "accuracy_new": hits[is_new].mean(),
        "precision_new": precision,
        "recall_new": recall,
        "f1_new": f1,
        "auroc_new": metrics.roc_auc_score(is_new, newness) if not is_new.all() else math.nan,
        "average_precision_new": metrics.average_precision_score(is_new, newness),
        "new_against_old": {
            "old_as_old": table[0, 0],
            "old_as_new": table[0, 1],
            "new_as_old": table[1, 0],
            "new_as_new": table[1, 1],
        },
    }


def curves_new(logits: Tensor, actual: Classes, new: Sequence[int]) -> list[dict[str, Any]]:
    """How well the probability of the new classes tells them from the old ones.

    Args:
        logits: `(n, classes)`, float32.
        actual: `(n,)`, the right classes, old and new ones among them.
        new: indices of the new classes.

    Returns:
        Rows of the receiver operating characteristic (`curve` is `roc`: `x` is the share of old
        images taken for new, `y` that of new ones) and of the precision–recall curve (`curve` is
        `precision_recall`: `x` is recall, `y` precision), fractions; none without old images.
    """
    newness = logits.double().softmax(1).numpy()[:, new].sum(1)
    is_new = np.isin(actual, new)
    if is_new.all():
        return []
    false_positives, true_positives, _ = metrics.roc_curve(is_new, newness)
    precision, recall, _ = metrics.precision_recall_curve(is_new, newness, drop_intermediate=True)
    points = {"roc": (false_positives, true_positives), "precision_recall": (recall, precision)}
    return [
        {"curve": curve, "x": x, "y": y}
        for curve, (horizontal, vertical) in points.items()
        for x, y in zip(horizontal, vertical, strict=True)
    ]


def calibration_error(
    confidence: npt.NDArray[np.float64], hits: npt.NDArray[np.bool_], bins: int = 15
) -> float:
    """Expected calibration error (arXiv 1706.04599) over equally wide bins of confidence.

    Args:
        confidence: `(n,)`, the largest probabilities.
        hits: `(n,)`, whether these classes are the right ones.
        bins: how many.
    """
    bin_of = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    gaps = np.bincount(bin_of, confidence - hits, minlength=bins)
    return float(np.abs(gaps).sum() / len(hits))


def confusion(actual: Classes, predicted: Classes, classes: int) -> Any:
    """The confusion table `(classes, classes)`, int64: rows are actual, columns predicted."""
    return metrics.confusion_matrix(actual, predicted, labels=range(classes))


def mcnemar(one: npt.NDArray[np.bool_], other: npt.NDArray[np.bool_]) -> dict[str, float]:
    """McNemar's exact test of whether two methods are right equally often on the same images.

    Args:
        one: `(n,)`, bool: where the first method is right.
        other: `(n,)`, bool: where the second is.

    Returns:
        How many images only the first and only the second has right, and the two-sided p-value:
        the binomial test on these discordant images.
    """
    only_one, only_other = int((one & ~other).sum()), int((other & ~one).sum())
    discordant = only_one + only_other
    p_value = binomtest(only_one, discordant).pvalue if discordant else 1.0
    return {"only_first": only_one, "only_second": only_other, "p_value": p_value}


def confident_mistakes(logits: Tensor, actual: Classes, count: int) -> list[dict[str, Any]]:
    """The mistakes that a model is surest of, most confident first.

    Returns:
        At most `count` rows: `image` (index), `actual`, `predicted`, `confidence`.
    """
    probabilities = logits.double().softmax(1).numpy()
    predicted, confidence = probabilities.argmax(1), probabilities.max(1)
    wrong = np.flatnonzero(predicted != actual)
    surest = wrong[np.argsort(-confidence[wrong], kind="stable")][:count]
    return [
        {
            "image": int(index),
            "actual": int(actual[index]),
            "predicted": int(predicted[index]),
            "confidence": float(confidence[index]),
        }
        for index in surest
    ]
