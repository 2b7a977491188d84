"""The networks that are built here: a trunk for images, and dense layers as a head."""

from collections import OrderedDict
from collections.abc import Sequence
from itertools import pairwise
from math import prod
from typing import Any

import torch
from torch import Tensor, nn

from pipeline.learning import freezing

NEVER = -1e6
"""The bias of a class that has no row yet, and is never answered."""


class Classifier(nn.Module):
    """A trunk and a head.

    Attributes:
        trunk: uint8 images, or floats in [0, 1], `(n, channels, height, width)` to features
            `(n, features)`, float32.
        head: features to logits `(n, classes)`, float32.
        description: what `models.build` needs to make the same network again.
    """

    def __init__(self, trunk: nn.Module, head: nn.Module, description: dict[str, Any]):
        super().__init__()
        self.trunk = trunk
        self.head = head
        self.description = description

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.head(self.trunk(images))
        return logits

    def on_features(self) -> "Classifier":
        """The same head alone, by the same names, for what the trunk has computed before."""
        return Classifier(nn.Identity(), self.head, self.description)

    @property
    def input_bytes(self) -> int:
        """What an input takes: a byte a pixel, four a feature that comes as it is."""
        count: int = prod(self.description["shape"])
        return count * (4 if self.description["network"] == "identity" else 1)

    def train(self, mode: bool = True) -> "Classifier":
        """Switches to training, but not what is frozen of the trunk: its statistics are too."""
        super().train(mode)
        freezing.rest(self.trunk)
        return self


class Pixels(nn.Module):
    """The one scaling of pixels: uint8 in 0…255 to float32 in 0…1; floats pass unchanged."""

    def forward(self, images: Tensor) -> Tensor:
        return images.float() / 255 if images.dtype == torch.uint8 else images


def cnn(
    shape: Sequence[int],
    classes: int,
    dropout: float,
    channels: Sequence[int] = (32, 64, 64),
    kernel: int = 3,
    stride: int = 1,
    hidden: Sequence[int] = (128, 128),
) -> Classifier:
    """Three unpadded convolutions, the first two each followed by 2×2 pooling, and dense layers.

    With the defaults, 28×28×1 images and ten classes it has 576 features and 147,402 parameters.

    Args:
        shape: channels, height and width of an image.
        classes: number of logits.
        dropout: share of the hidden units of the head dropped in training.
        channels: outputs of the convolutions.
        kernel: width of the first convolution; the others are 3 wide.
        stride: of the first convolution.
        hidden: widths of the dense layers before the last.
    """
    one, two, three = channels
    trunk = nn.Sequential(
        Pixels(),
        # ReLU after pooling is the same function as before it, on a quarter of the elements.
        nn.Conv2d(shape[0], one, kernel, stride), nn.MaxPool2d(2), nn.ReLU(),
        nn.Conv2d(one, two, 3), nn.MaxPool2d(2), nn.ReLU(),
        nn.Conv2d(two, three, 3), nn.ReLU(),
        nn.Flatten(),
    )  # fmt: skip
    features = trunk(torch.zeros(1, *shape)).shape[1]
    trunk.to(memory_format=torch.channels_last)
    description = {
        "network": "cnn",
        "shape": list(shape),
        "classes": classes,
        "dropout": dropout,
        "channels": list(channels),
        "kernel": kernel,
        "stride": stride,
        "hidden": list(hidden),
    }
    return Classifier(trunk, dense_head((features, *hidden, classes), dropout), description)


def shape_cnn(shape: Sequence[int], classes: int, dropout: float) -> Classifier:
    """A `cnn` for images of 64×64 pixels: fewer channels, a first step of two pixels."""
    return cnn(shape, classes, dropout, channels=(16, 32, 64), kernel=4, stride=2, hidden=(128,))


def dense_head(widths: Sequence[int], dropout: float) -> nn.Sequential:
    """Dense layers `dense_1`, `dense_2`, …, `output`, with ReLU and dropout between them."""
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    for number, (inputs, outputs) in enumerate(pairwise(widths[:-1]), start=1):
        layers[f"dense_{number}"] = nn.Linear(inputs, outputs)
        layers[f"relu_{number}"] = nn.ReLU()
        layers[f"dropout_{number}"] = nn.Dropout(dropout)
    layers["output"] = nn.Linear(widths[-2], widths[-1])
    return nn.Sequential(layers)


def mlp(
    shape: Sequence[int], classes: int, dropout: float, hidden: Sequence[int] = (1000, 2000)
) -> Classifier:
    """Dense layers alone: the trunk only flattens the image.

    With the defaults, 28×28×1 images and five classes it has 2,797,005 parameters.

    Args:
        shape: channels, height and width of an image.
        classes: number of logits.
        dropout: share of the hidden units dropped in training.
        hidden: widths of the dense layers before the last.
    """
    trunk = nn.Sequential(Pixels(), nn.Flatten())
    description = {
        "network": "mlp",
        "shape": list(shape),
        "classes": classes,
        "dropout": dropout,
        "hidden": list(hidden),
    }
    return Classifier(trunk, dense_head((prod(shape), *hidden, classes), dropout), description)


def residual(
    shape: Sequence[int],
    classes: int,
    dropout: float,
    channels: Sequence[int] = (16, 32, 64, 128),
    hidden: Sequence[int] = (),
) -> Classifier:
    """A small residual network with batch normalisation, for photographs.

    Convolutions of 3×3, each followed by batch normalisation (arXiv 1502.03167) and ReLU: two, a
    residual block (arXiv 1512.03385), two more, another block, and the maximum over all places; the
    image is halved three times on the way. With the defaults, RGB images and nine classes it has
    128 features and 412,825 parameters.

    Args:
        shape: channels, height and width of an image; height and width of 8 or more.
        classes: number of logits.
        dropout: share of the hidden units of the head dropped in training.
        channels: outputs of the convolutions.
        hidden: widths of the dense layers before the last.
    """
    one, two, three, four = channels
    trunk = nn.Sequential(
        Pixels(),
        *_convolution(shape[0], one),
        *_convolution(one, two, pool=True),
        Residual(two),
        *_convolution(two, three, pool=True),
        *_convolution(three, four, pool=True),
        Residual(four),
        nn.AdaptiveMaxPool2d(1),
        nn.Flatten(),
    )
    trunk.to(memory_format=torch.channels_last)
    description = {
        "network": "residual",
        "shape": list(shape),
        "classes": classes,
        "dropout": dropout,
        "channels": list(channels),
        "hidden": list(hidden),
    }
    return Classifier(trunk, dense_head((four, *hidden, classes), dropout), description)


def identity(
    shape: Sequence[int], classes: int, dropout: float, hidden: Sequence[int] = (128, 128)
) -> Classifier:
    """Dense layers, as on a `cnn`, for features that come as they are, as from a table.

    Args:
        shape: the number of features, alone.
        classes: number of logits.
        dropout: share of the hidden units of the head dropped in training.
        hidden: widths of the dense layers before the last.
    """
    description = {
        "network": "identity",
        "shape": list(shape),
        "classes": classes,
        "dropout": dropout,
        "hidden": list(hidden),
    }
    return Classifier(
        nn.Sequential(nn.Identity()), dense_head((*shape, *hidden, classes), dropout), description
    )


class Residual(nn.Module):
    """Two convolutions whose outputs are added to their inputs."""

    def __init__(self, channels: int):
        super().__init__()
        self.layers = nn.Sequential(
            *_convolution(channels, channels), *_convolution(channels, channels)
        )

    def forward(self, inputs: Tensor) -> Tensor:
        added: Tensor = inputs + self.layers(inputs)
        return added


def _convolution(inputs: int, outputs: int, pool: bool = False) -> list[nn.Module]:
    convolution = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
    # ReLU after pooling is the same function as before it, on a quarter of the elements.
    pooling = [nn.MaxPool2d(2)] if pool else []
    return [convolution, nn.BatchNorm2d(outputs), *pooling, nn.ReLU()]
