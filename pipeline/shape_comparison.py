"""The comparison of the ways to learn new shapes: the figures that `evaluate_shapes` saves."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from pipeline import contenders, models, novelty, scoring
from pipeline.datasets import Labelled, merge
from pipeline.novelty import Novelty
from pipeline.predictions import Predictions

ENOUGH = 0.95
"""The accuracy for which labels are counted."""
UNKNOWN = "unknown"

Rows = list[dict[str, Any]]


def transfers(source: Labelled, target: Labelled, device: torch.device) -> dict[str, Any]:
    """The figures of merit of the base on its classes, and of every contender on the new ones."""
    base = models.load("data/shapes_base/model.safetensors")
    figures = {"base": scoring.measure(Predictions(source, device).logits(base), source.labels)}
    on_target = Predictions(target, device)
    for name in contenders.NAMES:
        model = models.load(f"data/transfer/{name}.safetensors")
        figures[name] = scoring.measure(on_target.logits(model), target.labels)
    return figures


def label_efficiency(target: Labelled, device: torch.device) -> Rows:
    """A row per contender and number of labelled images per class: its accuracy."""
    on_target = Predictions(target, device)
    rows = []
    for file in Path("data/label_efficiency").iterdir():
        name, _, count = file.stem.rpartition("_")
        hits = on_target.logits(models.load(file)).argmax(1).numpy() == target.labels
        rows.append({"contender": name, "labels": int(count), "accuracy": hits.mean()})
    return sorted(rows, key=lambda row: (contenders.NAMES.index(row["contender"]), row["labels"]))


def labels_needed(rows: Rows, accuracy: float = ENOUGH) -> dict[str, float | None]:
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
) -> tuple[dict[str, Any], npt.NDArray[np.uint8], Rows]:
    """How the models of all classes do on source, target and unknown classes.

    Args:
        source: test images of the classes that the base knows.
        target: test images of the classes learned later.
        unknown: test images of classes never learned.
        base: the base's figures on `source`.
        device: where to predict.

    Returns:
        Figures of merit: `both` of the model that was shown outliers, `both_plain` of the one that
        wasn't. And some images of each class with a row for each: what the first takes it for.
    """
    known = merge(source, target)
    old = known.labels < len(source.classes)
    figures: dict[str, Any] = {}
    for key, name in {"both_plain": "plain", "both": "exposed"}.items():
        model = models.load(f"data/transfer_both/{name}.safetensors")
        rule = Novelty.load(f"data/transfer_both/{name}_novelty.safetensors")
        familiar, strange = (
            novelty.views(model.to(device), torch.from_numpy(part.inputs).to(device))
            for part in (known, unknown)
        )
        logits = familiar[0]
        hits = logits.argmax(1).numpy() == known.labels
        apart = zip(novelty.scores(familiar).items(), novelty.scores(strange).values(), strict=True)
        passed = rule.passes(torch.cat([familiar, strange], dim=1))
        figures[key] = scoring.measure(logits, known.labels) | {
            "accuracy_source": hits[old].mean(),
            "accuracy_target": hits[~old].mean(),
            "forgetting": base["accuracy"] - hits[old].mean(),
            "unknown": {score: novelty.detection(here, there) for (score, here), there in apart},
            "score": rule.score,
            "rejected": rejected(known, ~passed[: len(known.labels)])
            | rejected(unknown, ~passed[len(known.labels) :]),
        }
    return figures, *samples(merge(known, unknown), model, known.classes, passed, device)


def rejected(data: Labelled, unknown: Tensor) -> dict[str, float]:
    """The share of each class's images that is called unknown."""
    return {
        name: float(unknown[torch.from_numpy(data.labels == label)].float().mean())
        for label, name in enumerate(data.classes)
    }


def samples(
    data: Labelled,
    model: models.Classifier,
    classes: list[str],
    passed: Tensor,
    device: torch.device,
    count: int = 8,
) -> tuple[npt.NDArray[np.uint8], Rows]:
    """The first images of every class, and a row for each: what a model takes it for.

    Args:
        data: images of any classes, known to the model or not.
        model: to predict with.
        classes: those that the model knows.
        passed: `(n,)`, bool: which images aren't called unknown.
        device: where to predict.
        count: images of a class.
    """
    first = [np.flatnonzero(data.labels == label)[:count] for label in range(len(data.classes))]
    chosen = np.concatenate(first)
    likely = Predictions(data.where(chosen), device).logits(model).softmax(1).max(1)
    rows = [
        {
            "actual": data.classes[data.labels[image]],
            "predicted": classes[int(likeliest)] if passed[image] else UNKNOWN,
            "likeliest": classes[int(likeliest)],
            "probability": float(probability),
        }
        for image, likeliest, probability in zip(chosen, likely.indices, likely.values, strict=True)
    ]
    return data.inputs[chosen], rows
