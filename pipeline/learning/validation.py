"""What a training or a study is judged on."""

import math
from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from pipeline.core.labelled import Labelled

Objective = Literal["overall", "worst"]
Score = tuple[float, float]


@dataclass(frozen=True)
class Validation:
    """What a training or a study is judged on.

    Attributes:
        inputs: images or features of the validation data.
        labels: `(n,)`, int64.
        is_new: `(n,)`, bool: which labels are of new classes.
        objective: `overall` is the accuracy on all; `worst` the smaller of the accuracies on old
            and on new classes.
    """

    inputs: Tensor
    labels: Tensor
    is_new: Tensor
    objective: Objective

    @classmethod
    def of(cls, data: Labelled, objective: Objective, device: torch.device) -> "Validation":
        """Puts validation data on a device."""
        arrays = (data.inputs, data.labels, data.is_new)
        inputs, labels, is_new = (torch.from_numpy(array).to(device) for array in arrays)
        return cls(inputs, labels, is_new, objective)

    def measure(self, logits: Tensor) -> dict[str, float]:
        """Measures logits `(n, classes)`.

        Returns:
            `accuracy`, a fraction, and `loss`, the mean negative log-likelihood in nats; if there
            are new classes, `accuracy_old` (NaN if no old image is left) and `accuracy_new` too.
        """
        hits = (logits.argmax(1) == self.labels).float()
        measured = {
            "accuracy": float(hits.mean()),
            "loss": float(F.cross_entropy(logits, self.labels)),
        }
        if self.is_new.any():
            measured["accuracy_old"] = float(hits[~self.is_new].mean())
            measured["accuracy_new"] = float(hits[self.is_new].mean())
        return measured

    def score(self, measured: dict[str, float]) -> Score:
        """The objective of what `measure` returned; of equals, the smaller loss is better."""
        if self.objective == "overall":
            return measured["accuracy"], -measured["loss"]
        old, new = measured["accuracy_old"], measured["accuracy_new"]
        return (new if math.isnan(old) else min(old, new)), -measured["loss"]
