"""The comparison of the rank sweep's contenders: the figures that `evaluate_ranks` saves."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pipeline import adapters, artifacts, models, training, wide
from pipeline.datasets import Labelled
from pipeline.models import Classifier

Rows = list[dict[str, Any]]


def figures(test: Labelled, device: torch.device) -> tuple[dict[str, Any], Rows]:
    """Scores every contender, as tuned and as published, on both halves of the classes.

    Returns:
        `base`: its accuracy on the first half. Of every contender: `accuracy` on the second half,
        `accuracy_old` and `forgetting` on the first, for adapters `accuracy_old_off` with their
        strength at 0, `learning_rate`, `trainable_parameters`, and `stored_bytes` for the task. The
        same of the published setting, under `published`. And a row per contender and class of the
        second half: its mistakes.
    """
    base = models.load("data/wide_base/model.safetensors").to(device)
    first = artifacts.load_json("data/wide_base/facts.json")["classes"]
    halves = wide.halves(test._replace(new=[]), first)
    old, new = (Sight(half, device) for half in halves)
    before = old.accuracy(base)
    result: dict[str, Any] = {"base": {"accuracy": before}, "published": {}}
    rows: Rows = []
    for place in sorted(Path("data/rank_sweep").glob("*/*/"), key=_order):
        published = place.parent.name == "published"
        model = wide.load(place, base)
        after = old.accuracy(model)
        hits = new.hits(model)
        figure = {
            "accuracy": float(hits.double().mean()),
            "accuracy_old": after,
            "forgetting": before - after,
            "stored_bytes": wide.stored_bytes(place),
            **artifacts.load_json(place / "facts.json"),
        }
        rows += [
            {"contender": place.name, "published": published, "class": name, "mistakes": count}
            for name, count in new.mistakes(hits).items()
        ]
        if adapters.adapted(model):
            adapters.set_strength(model, 0)
            figure["accuracy_old_off"] = old.accuracy(model)
        (result["published"] if published else result)[place.name] = figure
    return result, rows


class Sight:
    """Test images as a model sees them."""

    def __init__(self, data: Labelled, device: torch.device):
        self._classes = data.classes
        self._images, self._labels = training.join(device, data)

    def hits(self, model: Classifier) -> torch.Tensor:
        """Which images a model has right: `(n,)`, bool."""
        return training.predict(model, self._images).argmax(1) == self._labels

    def accuracy(self, model: Classifier) -> float:
        """The share of images that a model has right."""
        return float(self.hits(model).double().mean())

    def mistakes(self, hits: torch.Tensor) -> dict[str, int]:
        """How many images of each class a model has wrong, from what `hits` returned."""
        wrong = self._labels[~hits].cpu().numpy()
        counts = np.bincount(wrong, minlength=len(self._classes))
        return dict(zip(self._classes, counts.tolist(), strict=True))


def table(figures: Mapping[str, Any]) -> Rows:
    """A row per setting and contender, from what `figures` returns."""
    settings = {"tuned": figures, "published": figures["published"]}
    return [
        {
            "setting": setting,
            "contender": name,
            "rank": int(name.removeprefix("rank_")) if name.startswith("rank_") else None,
            **figure,
        }
        for setting, contenders in settings.items()
        for name, figure in contenders.items()
        if name not in ("base", "published")
    ]


def _order(place: Path) -> tuple[str, int, str]:
    """Setting by setting, the ranks in ascending order after the others."""
    family, _, rank = place.name.rpartition("_")
    return place.parent.name, int(rank) if family == "rank" else 0, place.name
