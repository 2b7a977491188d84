"""The strength of a change: how far a model goes from its base, chosen after the training."""

from collections.abc import Sequence
from copy import deepcopy
from typing import TypeVar

import torch
from torch import nn

from pipeline.learning import training
from pipeline.learning.validation import Score, Validation

Model = TypeVar("Model", bound=nn.Module)


def interpolate(base: Model, tuned: nn.Module, strength: float) -> Model:
    """The model whose weights lie on the line from `base` (0) to `tuned` (1): WiSE-FT.

    Source: arXiv 2109.01903. For a merged adapter it is the model at that strength.
    """
    model = deepcopy(base)
    changed = dict(tuned.named_parameters())
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if strength:
                weight.add_(strength * (changed[name] - weight))
    return model


def choose(
    base: nn.Module, tuned: nn.Module, strengths: Sequence[float], validation: Validation
) -> float:
    """The strength with the best score on validation data; of equals, the first."""

    def score(strength: float) -> Score:
        model = interpolate(base, tuned, strength)
        return validation.score(validation.measure(training.predict(model, validation.inputs)))

    return max(strengths, key=score)
