"""The logits of many models on the same images."""

import torch
from torch import Tensor, nn

from pipeline.core.labelled import Labelled
from pipeline.learning import models, training
from pipeline.learning.networks import Classifier


class Predictions:
    """Runs models on a set of images, and each trunk, known by its name, but once.

    Args:
        data: the images, or the features that `trunk` has made of them.
        device: where.
        trunk: if it is features that are there; other trunks can't be run then.
    """

    def __init__(self, data: Labelled, device: torch.device, trunk: nn.Module | None = None):
        self.data = data
        self._images = torch.from_numpy(data.inputs).to(device)
        self._features: dict[str, Tensor] = {}
        if trunk is not None:
            self._features[models.trunk_name(trunk)] = self._images

    def has(self, trunk: nn.Module) -> bool:
        """Whether a trunk's features are there."""
        return models.trunk_name(trunk) in self._features

    def logits(self, model: Classifier) -> Tensor:
        """The logits `(n, classes)`, float32, on the CPU."""
        device = self._images.device
        return training.predict(model.head.to(device), self._of_trunk(model.trunk)).cpu()

    def _of_trunk(self, trunk: nn.Module) -> Tensor:
        name = models.trunk_name(trunk)
        if name not in self._features:
            self._features[name] = training.predict(trunk.to(self._images.device), self._images)
        return self._features[name]
