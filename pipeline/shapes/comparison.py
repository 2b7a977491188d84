"""The comparison of the ways to learn new shapes: the figures that `shapes_evaluate` saves."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from pipeline.core.artifacts import Records
from pipeline.core.labelled import Labelled, merge
from pipeline.learning import changes
from pipeline.learning.networks import Classifier
from pipeline.scoring import measures
from pipeline.scoring.predictions import Predictions
from pipeline.shapes import contenders
from pipeline.techniques import novelty
from pipeline.techniques.novelty import Novelty

TRANSFER, BOTH, FEW_LABELS = (
    Path("data/shapes", name) for name in ("transfer", "both", "few_labels")
)
ENOUGH = 0.95
"""The accuracy for which labels are counted."""
UNKNOWN = "unknown"


def transfers(source: Labelled, target: Labelled, device: torch.device) -> dict[str, Any]:
    """The figures of merit of the base on its classes, and of every contender on the new ones."""
    base = contenders.load_base()
    figures = {"base": measures.measure(Predictions(source, device).logits(base), source.labels)}
    on_target = Predictions(target, device)
    for contender in contenders.ALL:
        model = changes.load(TRANSFER / contender.name, base)
        figures[contender.name] = measures.measure(on_target.logits(model), target.labels)
    return figures


def few_labels(target: Labelled, device: torch.device) -> Records:
    """A row per contender and number of labelled images per class: its accuracy."""
    base = contenders.load_base()
    on_target = Predictions(target, device)
    rows = []
    for contender in contenders.ALL:
        counts = sorted(int(folder.name) for folder in (FEW_LABELS / contender.name).iterdir())
        for count in counts:
            model = changes.load(FEW_LABELS / contender.name / str(count), base)
            hits = on_target.logits(model).argmax(1).numpy() == target.labels
            rows.append({"contender": contender.name, "labels": count, "accuracy": hits.mean()})
    return rows


def curves(rows: Records) -> dict[str, dict[str, float]]:
    """Of every contender its accuracies by the number of labelled images."""
    found: dict[str, dict[str, float]] = {}
    for row in rows:
        found.setdefault(row["contender"], {})[str(row["labels"])] = row["accuracy"]
    return found


def labels_needed(rows: Records, accuracy: float = ENOUGH) -> dict[str, float | None]:
    """Labelled images per class that each contender needs for an accuracy.

    Between the numbers tried it is interpolated on a logarithmic scale.

    Returns:
        The number, or None where the accuracy isn't reached.
    """
    needed: dict[str, float | None] = {}
    for name in dict.fromkeys(row["contender"] for row in rows):
        curve = [(row["labels"], row["accuracy"]) for row in rows if row["contender"] == name]
        needed[name] = _first_reaching(curve, accuracy)
    return needed


def _first_reaching(curve: list[tuple[int, float]], accuracy: float) -> float | None:
    before: tuple[int, float] | None = None
    for labels, reached in curve:
        if reached >= accuracy:
            if before is None:
                return float(labels)
            share = (accuracy - before[1]) / (reached - before[1])
            return float(before[0] * (labels / before[0]) ** share)
        before = (labels, reached)
    return None


def both(
    source: Labelled,
    target: Labelled,
    unknown: Labelled,
    base: Mapping[str, Any],
    device: torch.device,
) -> dict[str, Any]:
    """How the models of all classes do on source, target and unknown classes.

    Args:
        source: test images of the classes that the base knows.
        target: test images of the classes learned later.
        unknown: test images of classes never learned.
        base: the base's figures on `source`.
        device: where to predict.

    Returns:
        Figures of merit: `both` of the model that was shown outliers, `both_plain` of the one that
        wasn't.
    """
    known = merge(source, target)
    old = known.labels < len(source.classes)
    figures: dict[str, Any] = {}
    for key, name in {"both_plain": "plain", "both": "exposed"}.items():
        model, rule = _load(name, device)
        known_logits, unknown_logits = _views(model, known), _views(model, unknown)
        hits = known_logits[0].argmax(1).numpy() == known.labels
        figures[key] = measures.measure(known_logits[0], known.labels) | {
            "accuracy_source": hits[old].mean(),
            "accuracy_target": hits[~old].mean(),
            "forgetting": base["accuracy"] - hits[old].mean(),
            "unknown": _detection(known_logits, unknown_logits),
            "score": rule.score,
            "rejected": _rejected(known, ~rule.passes(known_logits))
            | _rejected(unknown, ~rule.passes(unknown_logits)),
        }
    return figures


def samples(
    source: Labelled,
    target: Labelled,
    unknown: Labelled,
    device: torch.device,
    count: int = 8,
) -> tuple[npt.NDArray[np.uint8], Records]:
    """The first test images of every class, and a row for each: what it is taken for.

    Args:
        source: test images of the classes that the base knows.
        target: test images of the classes learned later.
        unknown: test images of classes never learned.
        device: where to predict.
        count: images of a class.
    """
    model, rule = _load("exposed", device)
    classes = merge(source, target).classes
    data = merge(source, target, unknown)
    of_class = [np.flatnonzero(data.labels == label)[:count] for label in range(len(data.classes))]
    shown = data.where(np.concatenate(of_class))
    passed = rule.passes(_views(model, shown))
    likely = Predictions(shown, device).logits(model).softmax(1).max(1)
    rows = [
        {
            "actual": shown.classes[label],
            "predicted": classes[int(likeliest)] if known else UNKNOWN,
            "likeliest": classes[int(likeliest)],
            "probability": float(probability),
        }
        for label, known, likeliest, probability in zip(
            shown.labels, passed, likely.indices, likely.values, strict=True
        )
    ]
    return shown.inputs, rows


def _load(name: str, device: torch.device) -> tuple[Classifier, Novelty]:
    """A model of all classes, and its rule for the unknown."""
    model = changes.load(BOTH / name, contenders.load_base()).to(device)
    return model, Novelty.load(BOTH / name / "novelty.safetensors")


def _views(model: Classifier, data: Labelled) -> Tensor:
    device = next(model.parameters()).device
    return novelty.views(model, torch.from_numpy(data.inputs).to(device))


def _detection(known: Tensor, unknown: Tensor) -> dict[str, dict[str, float]]:
    """How well each score tells known from unknown images, from their logits in all views."""
    of_known, of_unknown = novelty.scores(known), novelty.scores(unknown)
    return {name: novelty.detection(of_known[name], of_unknown[name]) for name in of_known}


def _rejected(data: Labelled, unknown: Tensor) -> dict[str, float]:
    """The share of each class's images that is called unknown."""
    return {
        name: float(unknown[torch.from_numpy(data.labels == label)].float().mean())
        for label, name in enumerate(data.classes)
    }
