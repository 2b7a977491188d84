"""What the base model starts from: a network, its weights and its classes, if it has some."""

import hashlib
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal, NamedTuple

import torch
from pydantic import Field, ValidationInfo, field_validator
from torch import Tensor

from pipeline.core import artifacts
from pipeline.core.errors import InputError
from pipeline.core.labelled import Labelled
from pipeline.core.params import Count, Place, Section
from pipeline.learning import backbones, models
from pipeline.learning.models import Initialisation
from pipeline.learning.networks import Classifier

FOLDER = Path("data/weights")
KIND = "starting weights"


class Network(Section):
    """The network of the base model.

    `trunk` turns images into features: `auto` takes what suits them, `identity` is for features
    that come as they are; others are names of timm, `local-dir:NAME` in `path` or
    `hf-hub:OWNER/NAME`. `weights` are drawn anew (`none`), `pretrained`, or a file in `path`.
    `head` are the widths of the hidden layers of a new head; `auto` keeps the classifier of the
    weights if its classes are known, else takes what suits the trunk. `train` is what the
    pretraining changes: all, the head, or the head and the trunk from a block on.
    """

    trunk: Annotated[str, Field(min_length=1)]
    weights: Annotated[str, Field(min_length=1)]
    path: Place
    head: list[Count] | Literal["auto"]
    train: Annotated[str, Field(min_length=1)]

    @field_validator("weights")
    @classmethod
    def _published(cls, value: str, info: ValidationInfo) -> str:
        trunk = info.data.get("trunk")
        if value == "pretrained" and trunk in backbones.HERE:
            raise ValueError(f"nobody publishes weights of trunk {trunk}; none, or a file accepted")
        return value


class Start(NamedTuple):
    """What a base model starts from.

    Attributes:
        network: its description without shape, classes, dropout and hidden layers that are not
            kept; empty if it is the data that say which.
        weights: those of its trunk, and of its head if that is kept; empty if they are drawn anew.
        classes: the names of a trained classifier's classes, in their order; None if there is none.
        licence: of the weights.
        statistics: files of what was kept of the old classes, by their names, if any.
    """

    network: dict[str, Any]
    weights: dict[str, Tensor]
    classes: list[str] | None
    licence: str
    statistics: Mapping[str, bytes] = MappingProxyType({})

    def save(self, folder: Path = FOLDER) -> None:
        """Saves the weights, and beside them, in JSON, what is to be known of them."""
        digest = None
        if self.weights:
            path = folder / "model.safetensors"
            artifacts.save_tensors(path, self.weights, {"kind": KIND})
            digest = hashlib.sha256(artifacts.load_bytes(path)).hexdigest()
        for name, content in self.statistics.items():
            artifacts.save_bytes(folder / name, content)
        about = {
            "kind": KIND,
            "network": self.network,
            "classes": self.classes,
            "licence": self.licence,
            "sha256": digest,
            "statistics": sorted(self.statistics),
        }
        artifacts.save_json(folder / "about.json", about)

    @classmethod
    def load(cls, folder: Path = FOLDER) -> "Start":
        """Loads what `save` saved.

        Raises:
            InputError: if the weights are not those that were saved.
        """
        about = artifacts.load_json(folder / "about.json")
        weights: dict[str, Tensor] = {}
        if about["sha256"]:
            path = folder / "model.safetensors"
            if hashlib.sha256(artifacts.load_bytes(path)).hexdigest() != about["sha256"]:
                raise InputError(f"{path}: not the weights that about.json beside it is of")
            arrays, _ = artifacts.load_tensors(path, KIND)
            weights = {name: torch.from_numpy(array) for name, array in arrays.items()}
        return cls(about["network"], weights, about["classes"], about["licence"])

    def knows(self, data: Labelled) -> bool:
        """Whether the classifier is kept: its classes are then the first of the data's."""
        return self.classes is not None and data.classes[: len(self.classes)] == self.classes

    def model(
        self, network: Network, data: Labelled, dropout: float, how: Initialisation
    ) -> Classifier:
        """The base model before its training.

        Args:
            network: the parameters.
            data: images, or rows of a table, of the classes.
            dropout: share of the head's hidden units dropped in training.
            how: weights are drawn that don't come from outside.

        Raises:
            InputError: if the network can't take the data, or the weights don't fit it.
        """
        description = self._description(network, data) | {"dropout": dropout}
        model = _built(description)
        kept = self.knows(data)
        if not self.weights:
            models.initialise(model.head if description["network"] == "timm" else model, how)
            return model
        weights = {
            name: weight
            for name, weight in self.weights.items()
            if kept or name.startswith("trunk.")
        }
        if kept:
            for name in ("head.output.weight", "head.output.bias"):
                weights[name] = _appended(weights[name], len(data.classes))
        else:
            if self.classes:
                old = [name for name in data.classes if name not in self.classes]
                print(
                    f"pretrain: a new head, as that of the weights lacks {old[0]}", file=sys.stderr
                )
            models.initialise(model.head, how)
        _fill(model, weights)
        return model

    def _description(self, network: Network, data: Labelled) -> dict[str, Any]:
        own = data.advice.get("trunk") if network.trunk == "auto" else network.trunk
        description = {"network": own, **self.network}
        if network.head != "auto":
            description["hidden"] = list(network.head)
        elif not self.knows(data):
            description.pop("hidden", None)
        elif self.classes and len(self.classes) < len(data.classes):
            description["known"] = len(self.classes)
        return description | {"shape": list(data.inputs.shape[1:]), "classes": len(data.classes)}


def _built(description: dict[str, Any]) -> Classifier:
    trunk = description.get("architecture", description["network"])
    shape = description["shape"]
    form = "×".join(map(str, shape))
    if (trunk == "identity") != (len(shape) == 1):
        raise InputError(f"params.yaml: network.trunk is {trunk}, which takes no inputs of {form}")
    try:
        return models.build(description)
    except RuntimeError:
        raise InputError(
            f"params.yaml: network.trunk is {trunk}, for which images of {form} are too small"
        ) from None


def _appended(rows: Tensor, count: int) -> Tensor:
    """Rows of a last layer, and for each new class their mean.

    The logit of a new class is then the mean of the others, which never is the largest: what the
    classifier says stays as it was. (John Hewitt 2021, Initializing new word embeddings for
    pretrained language models.)
    """
    mean = rows.double().mean(0, keepdim=True).to(rows.dtype)
    return torch.cat([rows, mean.expand(count - len(rows), *rows.shape[1:])])


def _fill(model: Classifier, weights: dict[str, Tensor]) -> None:
    """Loads weights of the trunk, and of the head if they are there."""
    state = model.state_dict()
    wanted = [name for name in state if name.startswith("trunk.") or name in weights]
    for name in (*wanted, *weights):
        found = tuple(weights[name].shape) if name in weights else "missing"
        fits = tuple(state[name].shape) if name in state else "no part of the network"
        if found != fits:
            raise InputError(
                f"params.yaml: network.weights don't fit: {name} is {found} there, and {fits} for "
                "these images and classes"
            )
    model.load_state_dict(weights, strict=False)
