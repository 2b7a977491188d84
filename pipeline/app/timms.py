"""A model as a network of timm's: its names for the weights, its configuration."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from pipeline.app.models import Predictor
from pipeline.core import artifacts
from pipeline.core.errors import InputError
from pipeline.learning import backbones, models
from pipeline.learning.networks import Classifier
from pipeline.learning.rows import Rows

KIND = "a model of timm's"
TRUNK, HEAD = "trunk.2.", "head.output."
"""Before the names of timm's weights in ours: of the network, and of its classifier."""
CROPS = {"crop": "center", "pad": "border"}
"""What timm calls the ways of `data.fit`."""


def network(model: Classifier) -> Any | None:
    """A network of timm with the weights of a model, on the CPU, ready to predict.

    It takes images `(n, channels, height, width)`, float32, that are normalised already.

    Returns:
        None if the trunk is not timm's, or timm has no place for the head: what it has behind the
        trunk is one dense layer.
    """
    description = model.description
    layer = _linear(model.head)
    if description["network"] != "timm" or layer is None:
        return None
    weight, bias = layer
    timm_model: Any = backbones.create(
        description["architecture"], num_classes=len(weight), **description["arguments"]
    )
    last = timm_model.pretrained_cfg["classifier"]
    weights = {
        name.removeprefix(TRUNK): value
        for name, value in model.state_dict().items()
        if name.startswith(TRUNK)
    }
    weights |= {f"{last}.weight": weight, f"{last}.bias": bias}
    try:
        timm_model.load_state_dict(weights)
        backbones.divided(timm_model, description)
    except (InputError, RuntimeError):  # more lies between pooling and classifier
        return None
    return timm_model.eval()


def load(path: Path, content: Mapping[str, Any], description: Any) -> Classifier:
    """Our form of a network whose weights are in a file by timm's names, ready to predict.

    Args:
        path: the file.
        content: that `config` gave.
        description: of our form.

    Raises:
        InputError: if they don't belong together.
    """
    arrays, _ = artifacts.load_tensors(path, KIND)
    try:
        model = models.build({**description, "hidden": []})
        last = f"{content['pretrained_cfg']['classifier']}."
        model.load_state_dict(
            {
                HEAD + name.removeprefix(last)
                if name.startswith(last)
                else TRUNK + name: torch.from_numpy(array)
                for name, array in arrays.items()
            }
        )
    except (KeyError, TypeError, RuntimeError) as error:
        problem = " ".join(str(error).split())[:160]
        raise InputError(f"{path}: not a model of this version: {problem}") from None
    return model.eval()


def config(timm_model: Any, predictor: Predictor) -> dict[str, Any]:
    """What timm has to be told of a network of `network`, to make it and to prepare pictures."""
    preprocessing = predictor.model.description["preprocessing"]
    own = predictor.card.shape[1:]
    return {
        "architecture": timm_model.pretrained_cfg["architecture"],
        "num_classes": timm_model.num_classes,
        "num_features": timm_model.num_features,
        "model_args": predictor.model.description["arguments"],
        "label_names": predictor.classes,
        "pretrained_cfg": {
            "input_size": [
                preprocessing["channels"],
                *(preprocessing["size"] if preprocessing["fixed"] else own),
            ],
            "fixed_input_size": preprocessing["fixed"],
            "interpolation": preprocessing["interpolation"],
            "crop_pct": 1.0,
            "crop_mode": CROPS[predictor.card.fit],
            "mean": preprocessing["mean"],
            "std": preprocessing["std"],
            "first_conv": timm_model.pretrained_cfg["first_conv"],
            "classifier": timm_model.pretrained_cfg["classifier"],
        },
    }


def _linear(head: nn.Module) -> tuple[Tensor, Tensor] | None:
    """Weight and bias of a head that is one dense layer, with rows in place of some or without."""
    rows = head if isinstance(head, Rows) else None
    layers = list((rows.head if rows else head).children())
    if len(layers) != 1 or not isinstance(layers[0], nn.Linear):
        return None
    weight, bias = layers[0].weight.detach().clone(), layers[0].bias.detach().clone()
    if rows:
        weight[rows.columns], bias[rows.columns] = rows.weight.detach(), rows.bias.detach()
    return weight, bias
