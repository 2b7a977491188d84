"""The logits of many models on the same images."""

import torch
from torch import Tensor, nn

from pipeline.core.labelled import Labelled
from pipeline.learning import models, training
from pipeline.learning.networks import Classifier


class Predictions:
    """Runs models on a set of images, and each trunk, known by its name, but once."""

    def __init__(self, data: Labelled, device: torch.device):
        self.data = data
        self._images = torch.from_numpy(data.inputs).to(device)
        self._features: dict[str, Tensor] = {}

    def logits(self, model: Classifier) -> Tensor:
        """The logits `(n, classes)`, float32, on the CPU."""
        device = self._images.device
        return training.predict(model.head.to(device), self._of_trunk(model.trunk)).cpu()

    def _of_trunk(self, trunk: nn.Module) -> Tensor:
        name = models.trunk_name(trunk)
        if name not in self._features:
            self._features[name] = training.predict(trunk.to(self._images.device), self._images)
        return self._features[name]
