"""The logits of many models on the same images."""

import torch
from torch import Tensor, nn

from pipeline import training
from pipeline.datasets import Labelled
from pipeline.models import Classifier


class Predictions:
    """Runs models on a set of images, and each distinct trunk but once."""

    def __init__(self, data: Labelled, device: torch.device):
        self.data = data
        self._images = torch.from_numpy(data.inputs).to(device)
        self._features: list[tuple[nn.Module, Tensor]] = []

    def logits(self, model: Classifier) -> Tensor:
        """The logits `(n, classes)`, float32, on the CPU."""
        device = self._images.device
        return training.predict(model.head.to(device), self._of_trunk(model.trunk)).cpu()

    def _of_trunk(self, trunk: nn.Module) -> Tensor:
        for known, features in self._features:
            if _equal(known, trunk):
                return features
        features = training.predict(trunk.to(self._images.device), self._images)
        self._features.append((trunk, features))
        return features


def _equal(one: nn.Module, other: nn.Module) -> bool:
    ones, others = one.state_dict(), other.state_dict()
    return ones.keys() == others.keys() and all(
        torch.equal(ones[name].cpu(), others[name].cpu()) for name in ones
    )
