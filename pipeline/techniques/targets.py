"""Which layers of a network LoRA adapts."""

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Literal, NamedTuple

import torch
from pydantic import Field
from torch import nn

from pipeline.core.errors import InputError
from pipeline.core.params import Distinct
from pipeline.learning import training
from pipeline.learning.grown import Grown
from pipeline.learning.networks import Classifier
from pipeline.techniques.adapters import Layer

Targets = Annotated[list[str], Field(min_length=1), Distinct] | Literal["auto"]
"""Names of layers, or of their last parts; `auto` is what is usual."""

USUAL = (("attn.qkv", "attn.proj"), ("mlp.fc1", "mlp.fc2"))
"""What is adapted of a trunk of timm: attention (arXiv 2106.09685, section 4.2), else what is
between; where there is neither, as in a ResNet, all convolutions."""

SHOWN = 3
"""Layers that a line names."""


class Chosen(NamedTuple):
    """The names of the layers of a classifier to be adapted.

    Attributes:
        targets: those with a low-rank adapter.
        whole: those all of whose weights are trained: the output layer, where the trunk alone has
            adapters.
    """

    targets: list[str]
    whole: list[str]

    @property
    def in_trunk(self) -> bool:
        """Whether the trunk changes, so that it has to be trained on images."""
        return any(map(_in_trunk, self.targets))


def say(line: str) -> None:
    """Says what was done otherwise than asked."""
    print(line, file=sys.stderr)


def choose(
    model: Classifier,
    targets: Targets,
    r: int,
    *,
    head_only: bool = False,
    say: Callable[[str], None] = say,
) -> Chosen:
    """Chooses the layers to be adapted, and says which are passed over, or below the rank.

    `auto` is all dense layers of the head; of a timm trunk whose head is one layer, the `USUAL`
    ones of the trunk. Where all targets lie in the trunk, the output layer is trained as a whole
    beside it, as is usual.

    Args:
        model: without adapters, on any device.
        targets: names, as `named` takes them.
        r: rank of the adapters.
        head_only: whether there are but features to train on.
        say: takes a line.

    Raises:
        InputError: if a target is not the name of a layer or can't be adapted, if it lies in the
            trunk and `head_only`, or if no target can have the rank.
    """
    layers = {n: layer for n, layer in model.named_modules() if isinstance(layer, Layer)}
    head = [name for name in layers if not _in_trunk(name)]
    if targets != "auto":
        names = named(model, targets)
    elif head_only or len(head) > 1 or model.description["network"] != "timm":
        names = head
    else:
        names = _usual(layers)
    if head_only and (outside := [name for name in names if _in_trunk(name)]):
        raise InputError(
            f"params.yaml: {outside[0]} lies in the trunk, and there are but features to train on; "
            f"accepted: {', '.join(head)}"
        )
    unfit = {name: why for name in names if (why := _unfit(layers[name]))}
    unfit |= dict.fromkeys(_bypassed(model, [n for n in names if n not in unfit]), "not called")
    chosen = [name for name in names if name not in unfit]
    told = _shown([f"{name} ({why})" for name, why in unfit.items()])
    if not chosen:
        raise InputError(f"params.yaml: no target can be adapted: {told}")
    if unfit:
        say(f"not adapted: {told}")

    ranks = {name: _rank(layers[name]) for name in chosen}
    if r > (highest := max(ranks.values())):
        raise InputError(f"params.yaml: rank {r} is above {highest}, what the targets can have")
    if less := [f"{name} can have {rank} at most" for name, rank in ranks.items() if rank < r]:
        say(f"rank {r}: {_shown(less)}")
    return Chosen(chosen, head[-1:] if all(map(_in_trunk, chosen)) else [])


def named(model: nn.Module, targets: Sequence[str]) -> list[str]:
    """The names of the dense layers and convolutions of a model that some targets mean.

    Args:
        model: any.
        targets: names of layers, or of their last parts, as in PEFT's `target_modules`.

    Raises:
        InputError: if there is no such layer; with those that there are.
    """
    layers = [name for name, layer in model.named_modules() if isinstance(layer, Layer)]
    found: list[str] = []
    for target in targets:
        names = [name for name in layers if f".{name}".endswith(f".{target}")]
        if not names:
            last = {name: name.rpartition(".")[2] for name in layers}
            short = [name if end.isdigit() else end for name, end in last.items()]
            raise InputError(
                f"params.yaml: no dense or convolutional layer is named {target!r}; "
                f"accepted: {', '.join(dict.fromkeys(short))}"
            )
        found += names
    return list(dict.fromkeys(found))


def _in_trunk(name: str) -> bool:
    return name.startswith("trunk.")


def _usual(layers: Mapping[str, Layer]) -> list[str]:
    trunk = [name for name in layers if _in_trunk(name)]
    for ends in USUAL:
        if found := [name for name in trunk if name.endswith(ends)]:
            return found
    return [name for name in trunk if isinstance(layers[name], nn.Conv2d)]


def _unfit(layer: Layer) -> str:
    """Why a layer has no adapter that can be merged into it and that PEFT reads, if it has not."""
    if type(layer) not in (nn.Linear, Grown, nn.Conv2d):
        return type(layer).__name__  # whatever it does with its weights
    if isinstance(layer, nn.Conv2d):
        if layer.groups > 1:
            return f"{layer.groups} groups"
        if set(layer.dilation) != {1}:
            return "dilated"
        if layer.padding_mode != "zeros":
            return f"{layer.padding_mode} padding"
    return ""


def _bypassed(model: Classifier, names: Sequence[str]) -> list[str]:
    """The layers of the trunk whose weights are used, if at all, without calling the layer."""
    names = [name for name in names if _in_trunk(name)]
    if not names:
        return []
    called: set[nn.Module] = set()
    hooks = [
        model.get_submodule(name).register_forward_hook(lambda layer, *_: called.add(layer))
        for name in names
    ]
    device = next(model.parameters()).device
    images = torch.zeros((1, *model.description["shape"]), dtype=torch.uint8, device=device)
    training.predict(model.trunk, images)
    for hook in hooks:
        hook.remove()
    return [name for name in names if model.get_submodule(name) not in called]


def _rank(layer: Layer) -> int:
    """The highest that a change of the weights can have, as a matrix of outputs by inputs."""
    return min(len(layer.weight), layer.weight[0].numel())


def _shown(each: Sequence[str]) -> str:
    more = f" and {len(each) - SHOWN} more" if len(each) > SHOWN else ""
    return ", ".join(each[:SHOWN]) + more
