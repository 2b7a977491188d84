"""Models: making, initialising, comparing, saving and loading them."""

import hashlib
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any, Literal

import torch
from torch import nn

from pipeline.core import artifacts
from pipeline.core.errors import InputError
from pipeline.learning import backbones, networks
from pipeline.learning.grown import grown
from pipeline.learning.networks import Classifier

KIND = "a model"
Initialisation = Literal["he", "xavier", "default"]


NETWORKS: dict[str, Callable[..., Classifier]] = {
    "cnn": networks.cnn,
    "mlp": networks.mlp,
    "residual": networks.residual,
    "identity": networks.identity,
    "timm": backbones.backbone,
}


def build(description: dict[str, Any]) -> Classifier:
    """Makes a network from its description, with PyTorch's default initialisation.

    If its classifier was brought from outside, `known` is the number of its classes.
    """
    arguments = dict(description)
    known = arguments.pop("known", None)
    model = NETWORKS[arguments.pop("network")](**arguments)
    return model if known is None else grown(model, known)


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
