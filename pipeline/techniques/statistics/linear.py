"""A linear classifier on a trunk's features, in place of the head."""

import torch
from torch import Tensor

from pipeline.learning import models
from pipeline.learning.networks import NEVER, Classifier


def classifier(
    base: Classifier, weight: Tensor, bias: Tensor, labels: Tensor, classes: int
) -> Classifier:
    """The base's trunk, frozen, and one dense layer on it.

    Args:
        base: whose trunk it is.
        weight: `(k, width)`.
        bias: `(k,)`.
        labels: `(k,)`, int64: the classes of the rows.
        classes: how many there are.
    """
    rows = torch.zeros(classes, weight.shape[1], dtype=weight.dtype)
    biases = torch.full((classes,), NEVER, dtype=bias.dtype)
    rows[labels], biases[labels] = weight, bias
    model = models.build(base.description | {"hidden": []})
    model.trunk.load_state_dict(base.trunk.state_dict())
    model.trunk.requires_grad_(False)
    weights = {"output.weight": rows.float(), "output.bias": biases.float()}
    model.head.load_state_dict(weights)
    return model.eval()
