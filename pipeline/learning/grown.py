"""Rows for new classes behind those of a classifier that was trained elsewhere."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pipeline.learning.networks import Classifier


class Grown(nn.Linear):
    """The last layer of a classifier from outside, with a row for each class that is new to it.

    The rows that were there are multiplied by themselves, for a product with more rows may have
    other last bits.

    Args:
        inputs: width of the features.
        known: classes that were there, the first of all.
        classes: number of logits.
    """

    def __init__(self, inputs: int, known: int, classes: int):
        super().__init__(inputs, classes)
        self.known = known

    def forward(self, inputs: Tensor) -> Tensor:
        known, new = (
            F.linear(inputs, weight, bias)
            for weight, bias in zip(self._parts(self.weight), self._parts(self.bias), strict=True)
        )
        return torch.cat([known, new], 1)

    def _parts(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        return rows[: self.known], rows[self.known :]


def grown(model: Classifier, known: int) -> Classifier:
    """Makes a classifier's last layer one of which the first rows are known, in place."""
    last = model.head.get_submodule("output")
    assert isinstance(last, nn.Linear)
    model.head.set_submodule("output", Grown(last.in_features, known, last.out_features))
    model.description["known"] = known
    return model
