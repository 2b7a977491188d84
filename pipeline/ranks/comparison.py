"""The comparison of the sweep's contenders: the figures that `ranks_evaluate` saves."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from pipeline.core import artifacts
from pipeline.core.artifacts import Records
from pipeline.core.labelled import Labelled
from pipeline.learning import loading, training
from pipeline.learning.networks import Classifier
from pipeline.ranks import wide
from pipeline.techniques import adapters


def figures(test: Labelled, device: torch.device) -> tuple[dict[str, Any], Records]:
    """Scores every contender, as tuned and as published, on both tasks.

    Returns:
        `base`: its accuracy on the first task. Of every contender: `accuracy` on the second,
        `accuracy_old` and `forgetting` on the first, for adapters `accuracy_old_off` with their
        strength at 0, `learning_rate`, `trainable_parameters`, `rank` (0 without adapters), and
        `stored_bytes` for the task. The same of the published setting, under `published`. And a row
        per contender and class of the second task: its mistakes.
    """
    base, first = wide.load_base()
    base = base.to(device)
    old, new = (Sight(task, device) for task in wide.tasks(test, first, wide.swept()))
    before = old.accuracy(base)
    result: dict[str, Any] = {"base": {"accuracy": before}, "published": {}}
    rows: Records = []
    for folder in sorted(wide.SWEEP.glob("*/*/")):
        facts = artifacts.load_json(folder / "facts.json")
        name, published = facts.pop("contender"), facts.pop("published")
        model = adapters.restore(folder, base).to(device)
        after = old.accuracy(model)
        hits = new.hits(model)
        figure = {
            "accuracy": float(hits.double().mean()),
            "accuracy_old": after,
            "forgetting": before - after,
            "stored_bytes": adapters.stored_bytes(folder),
            **facts,
        }
        rows += [
            {"contender": name, "rank": facts["rank"], "published": published}
            | {"class": label, "mistakes": count}
            for label, count in new.mistakes(hits).items()
        ]
        if adapters.adapted(model):
            adapters.set_strength(model, 0)
            figure["accuracy_old_off"] = old.accuracy(model)
        (result["published"] if published else result)[name] = figure
    return result, sorted(rows, key=_order)


class Sight:
    """Test images as a model sees them."""

    def __init__(self, data: Labelled, device: torch.device):
        self._classes = data.classes
        self._images, self._labels = loading.tensors(device, data)

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


def table(figures: Mapping[str, Any]) -> Records:
    """A row per setting and contender, from what `figures` returns, in the order of their ranks."""
    settings = {"tuned": figures, "published": figures["published"]}
    rows = [
        {"setting": setting, "contender": name, **figure}
        for setting, contenders in settings.items()
        for name, figure in contenders.items()
        if name not in ("base", "published")
    ]
    return sorted(rows, key=_order)


def _order(row: Mapping[str, Any]) -> tuple[bool, int]:
    """As tuned before as published; ranks in ascending order after the others."""
    return row.get("published") is True or row.get("setting") == "published", row["rank"]
