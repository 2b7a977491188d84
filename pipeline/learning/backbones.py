"""Trunks of timm, which is loaded where one is asked for, and nowhere else."""

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pipeline.core.errors import InputError
from pipeline.learning.networks import Classifier, Pixels, dense_head

HERE = ("auto", "cnn", "mlp", "residual", "identity")
"""Trunks that are not timm's."""
ELSEWHERE = ("local-dir", "hf-hub")
"""Where timm finds a network that is none of its own names, before a colon."""


class Prepared(nn.Module):
    """Brings pixels in [0, 1] to what a network was trained on: channels, size, mean, deviation.

    Args:
        preprocessing: `channels`, `size` (height and width, of use only where the network takes no
            other: `fixed`), `interpolation`, `mean` and `std` of each channel.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, preprocessing: Mapping[str, Any]):
        super().__init__()
        self.channels = preprocessing["channels"]
        self.size = tuple(preprocessing["size"]) if preprocessing["fixed"] else None
        bicubic = preprocessing["interpolation"] != "bilinear"
        self.interpolation = "bicubic" if bicubic else "bilinear"
        for name in ("mean", "std"):
            values = torch.tensor(preprocessing[name]).view(-1, 1, 1)
            self.register_buffer(name, values, persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        if images.shape[1] == 1:
            images = images.expand(-1, self.channels, -1, -1)
        if self.size and images.shape[2:] != self.size:
            images = F.interpolate(
                images, self.size, mode=self.interpolation, antialias=True
            ).clamp(0, 1)
        images = (images - self.mean) / self.std
        return images.contiguous(memory_format=torch.channels_last) if images.is_cuda else images


def backbone(
    shape: Sequence[int],
    classes: int,
    dropout: float,
    architecture: str,
    arguments: Mapping[str, Any],
    preprocessing: Mapping[str, Any],
    hidden: Sequence[int] = (),
) -> Classifier:
    """A network of timm without its classifier, its pooled features, and dense layers on them.

    Args:
        shape: channels, height and width of an image; grey ones are shown as colours.
        classes: number of logits.
        dropout: share of the hidden units of the head dropped in training.
        architecture: its name in timm, without a tag of weights.
        arguments: of timm's `create_model`, beside the number of classes.
        preprocessing: as `Prepared` takes it.
        hidden: widths of the dense layers before the last.

    Raises:
        InputError: if the network takes no such images.
    """
    if shape[0] not in (1, preprocessing["channels"]):
        raise InputError(
            f"params.yaml: network.trunk takes {preprocessing['channels']} channels, and the "
            f"images have {shape[0]}; data.channels sets them"
        )
    network = create(architecture, num_classes=0, **arguments)
    trunk = nn.Sequential(Pixels(), Prepared(preprocessing), network)
    try:
        with torch.no_grad():
            features = trunk.eval()(torch.zeros(1, *shape)).shape[1]
    except (AssertionError, RuntimeError, ValueError):
        form = "×".join(map(str, shape))
        raise InputError(
            f"params.yaml: network.trunk is {architecture}, which takes no images of {form}; "
            f"it was trained on {'×'.join(map(str, preprocessing['size']))} (data.size sets them)"
        ) from None
    description = {
        "network": "timm",
        "shape": list(shape),
        "classes": classes,
        "dropout": dropout,
        "architecture": architecture,
        "arguments": dict(arguments),
        "preprocessing": dict(preprocessing),
        "hidden": list(hidden),
    }
    head = dense_head((features, *hidden, classes), dropout)
    return Classifier(trunk.train(), head, description)


def create(name: str, **arguments: Any) -> nn.Module:
    """A network of timm, made by its `create_model`.

    Raises:
        InputError: if timm has no such network; with the names that are close.
    """
    import timm

    if name.partition(":")[0] not in ELSEWHERE:
        known(name)
    model: nn.Module = timm.create_model(name, **arguments)
    return model


def known(name: str) -> None:
    """Refuses what is no name of timm's.

    Raises:
        InputError: with the names that are close.
    """
    import timm

    architecture, _, tag = name.partition(".")
    found = f"params.yaml: network.trunk is {name!r}"
    if not timm.is_model(architecture):
        accepted = [*HERE, *timm.list_models()]
        close = difflib.get_close_matches(architecture, accepted, n=3)
        hint = f"did you mean {' or '.join(close)}?" if close else f"here: {', '.join(HERE)}"
        raise InputError(f"{found}, a network neither of timm nor from here; {hint}")
    tags = [each.partition(".")[2] for each in timm.list_pretrained(f"{architecture}.*")]
    if tag and tag not in tags:
        raise InputError(f"{found}, but timm has {', '.join(tags) or 'no weights'} of it")


def described(model: Any) -> dict[str, Any]:
    """What `backbone` needs of a network of timm, but for shape, classes, dropout and hidden."""
    import timm

    resolve: Any = timm.data.resolve_model_data_config  # type: ignore[attr-defined]
    config = resolve(model)
    channels, height, width = config["input_size"]
    fixed = bool(model.pretrained_cfg.get("fixed_input_size"))
    given = getattr(model, "pretrained_model_args", {})
    arguments = {name: value for name, value in given.items() if name != "num_classes"}
    arguments["in_chans"] = channels
    if fixed:
        arguments["img_size"] = [height, width]
    return {
        "network": "timm",
        "architecture": model.pretrained_cfg["architecture"],
        "arguments": arguments,
        "preprocessing": {
            "channels": channels,
            "size": [height, width],
            "fixed": fixed,
            "interpolation": config["interpolation"],
            "mean": list(config["mean"]),
            "std": list(config["std"]),
            "crop": config["crop_pct"],
        },
    }


def divided(model: Any, description: Mapping[str, Any]) -> tuple[nn.Module, nn.Linear]:
    """Parts a network of timm into one without its classifier, and the classifier.

    Raises:
        InputError: unless the classifier is one linear layer on the pooled features; it says why.
    """
    name = description["architecture"]
    refused = f"params.yaml: network.trunk is {name}, whose classifier is not one linear layer"
    head = model.get_classifier()
    if not isinstance(head, nn.Linear):
        parts = [type(part).__name__ for part in head] if isinstance(head, tuple) else []
        raise InputError(f"{refused} but {' and '.join(parts) or type(head).__name__}")
    trunk = create(name, num_classes=0, **description["arguments"])
    weights = model.state_dict()
    missing = [key for key in trunk.state_dict() if key not in weights]
    if missing:
        raise InputError(f"{refused}: without it there is {missing[0]}")
    trunk.load_state_dict({key: weights[key] for key in trunk.state_dict()})
    preprocessing = description["preprocessing"]
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(1, preprocessing["channels"], *preprocessing["size"], generator=generator)
    with torch.no_grad():
        equal = torch.equal(head(trunk.eval()(images)), model.eval()(images))
    if not equal:
        raise InputError(f"{refused} on pooled features: more is computed behind or beside it")
    return trunk, head
