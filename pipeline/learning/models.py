"""The networks: a trunk turns images into features, a head turns features into logits."""

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Sequence
from copy import deepcopy
from itertools import pairwise
from math import prod
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn

from pipeline.core import artifacts
from pipeline.core.errors import InputError

KIND = "a model"
Initialisation = Literal["he", "xavier", "default"]


class Classifier(nn.Module):
    """A trunk and a head.

    Attributes:
        trunk: uint8 images, or floats in [0, 1], `(n, channels, height, width)` to features
            `(n, features)`, float32.
        head: features to logits `(n, classes)`, float32.
        description: what `build` needs to make the same network again.
    """

    def __init__(self, trunk: nn.Module, head: nn.Module, description: dict[str, Any]):
        super().__init__()
        self.trunk = trunk
        self.head = head
        self.description = description

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.head(self.trunk(images))
        return logits


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


NETWORKS: dict[str, Callable[..., Classifier]] = {"cnn": cnn, "mlp": mlp}


def build(description: dict[str, Any]) -> Classifier:
    """Makes a network from its description, with PyTorch's default initialisation."""
    arguments = dict(description)
    return NETWORKS[arguments.pop("network")](**arguments)


def initialise(model: nn.Module, how: Initialisation) -> None:
    """Draws the weights of all convolutions and dense layers anew, and sets their biases to zero.

    He (arXiv 1502.01852) and Xavier (Glorot and Bengio 2010) in their uniform forms; `default` is
    PyTorch's own: weights and biases uniform in ±1/√inputs.
    """
    for layer in model.modules():
        if not isinstance(layer, nn.Conv2d | nn.Linear):
            continue
        if how == "he":
            nn.init.kaiming_uniform_(layer.weight, nonlinearity="relu")
        elif how == "xavier":
            nn.init.xavier_uniform_(layer.weight)
        else:
            nn.init.kaiming_uniform_(layer.weight, a=5**0.5)
        if layer.bias is None:
            continue
        if how == "default":
            bound = layer.weight[0].numel() ** -0.5
            nn.init.uniform_(layer.bias, -bound, bound)
        else:
            nn.init.zeros_(layer.bias)


def with_head(base: Classifier, head: nn.Module) -> Classifier:
    """A copy of a model, its trunk frozen, with a copy of another head."""
    model = Classifier(deepcopy(base.trunk), deepcopy(head), base.description)
    model.trunk.requires_grad_(False)
    return model


def trunk_name(trunk: nn.Module) -> str:
    """A trunk's name: the SHA-256 of the names, shapes and bytes of its weights."""
    digest = hashlib.sha256()
    for name, weight in sorted(trunk.state_dict().items()):
        digest.update(f"{name} {tuple(weight.shape)} {weight.dtype}".encode())
        digest.update(weight.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def trainable_parameters(model: nn.Module) -> int:
    """How many numbers of a model a training may change."""
    return sum(weight.numel() for weight in model.parameters() if weight.requires_grad)


def save(path: Path | str, model: Classifier) -> None:
    """Saves a model's weights, with the description of its network, as safetensors."""
    weights = {
        name: weight.detach().cpu().contiguous() for name, weight in model.state_dict().items()
    }
    artifacts.save_tensors(path, weights, {"kind": KIND, **model.description})


def load(path: Path | str) -> Classifier:
    """Loads what `save` saved, ready to predict (dropout off)."""
    weights, about = artifacts.load_tensors(path, KIND)
    try:
        model = build({key: value for key, value in about.items() if key != "kind"})
        model.load_state_dict({name: torch.from_numpy(weight) for name, weight in weights.items()})
    except (KeyError, TypeError, RuntimeError) as error:
        problem = " ".join(str(error).split())
        raise InputError(f"{path}: not a model of this version: {problem}") from None
    return model.eval()
