"""A linear classifier on a trunk's features, in place of the head."""

from torch import Tensor

from pipeline.learning import models
from pipeline.learning.networks import Classifier


def classifier(base: Classifier, weight: Tensor, bias: Tensor) -> Classifier:
    """The base's trunk, frozen, and one dense layer on it.

    Args:
        base: whose trunk it is.
        weight: `(classes, width)`.
        bias: `(classes,)`.
    """
    model = models.build(base.description | {"hidden": []})
    model.trunk.load_state_dict(base.trunk.state_dict())
    model.trunk.requires_grad_(False)
    weights = {"output.weight": weight.float(), "output.bias": bias.float()}
    model.head.load_state_dict(weights)
    return model.eval()
