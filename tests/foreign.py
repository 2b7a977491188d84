"""Small networks for tests: our residual one, and two that timm makes for such."""

from typing import Any

import timm
import torch
from torch import Tensor, nn

from pipeline.learning import networks
from pipeline.learning.networks import Classifier

NAMES = ("residual", "test_resnet", "test_vit")
SIZE = 32


def classifier(name: str, classes: int = 4) -> Classifier:
    """A network for RGB images of 32×32 pixels, always the same, its head one layer."""
    torch.manual_seed(5)
    shape = (3, SIZE, SIZE)
    if name == "residual":
        return networks.residual(shape, classes, 0.0, channels=(4, 8, 8, 16)).eval()
    options: dict[str, Any] = {"img_size": SIZE} if name == "test_vit" else {}
    trunk = nn.Sequential(networks.Pixels(), timm.create_model(name, num_classes=0, **options))
    features = trunk.eval()(torch.zeros(1, *shape)).shape[1]
    description = {"network": "timm", "shape": list(shape), "classes": classes}
    return Classifier(trunk, networks.dense_head((features, classes), 0.0), description).eval()


def images(count: int = 24) -> Tensor:
    """Random pictures, always the same."""
    generator = torch.Generator().manual_seed(7)
    return torch.randint(256, (count, 3, SIZE, SIZE), dtype=torch.uint8, generator=generator)
