"""Freezing a trunk, or all of it before a block: weights, batch statistics and dropout."""

from typing import TYPE_CHECKING

from torch import nn

from pipeline.core.errors import InputError

if TYPE_CHECKING:
    from pipeline.learning.networks import Classifier

SHORT = {"Conv2d": "conv", "Linear": "dense"}
"""How layers without a name of their own are called."""


def blocks(trunk: nn.Module) -> dict[str, str]:
    """The names of a trunk's blocks, in their order, and where each stands in it.

    Blocks are the trunk's children with weight matrices or kernels, and the members of those that
    are lists (`blocks`, `blocks.0`, …). What only wraps another module is looked through. Those
    that are but numbered are called by their kind: `conv_1`, `conv_2`, `residual_1`.
    """
    prefix = ""
    while len(inner := _with_matrices(trunk)) == 1 and _with_matrices(inner[0][1]):
        name, trunk = inner[0]
        prefix += f"{name}."
    found: dict[str, str] = {}
    counts: dict[str, int] = {}
    for name, child in inner:
        called = name
        if name.isdigit():
            kind = SHORT.get(type(child).__name__, type(child).__name__.lower())
            counts[kind] = counts.get(kind, 0) + 1
            called = f"{kind}_{counts[kind]}"
        found[called] = f"{prefix}{name}"
        parts = _with_matrices(child) if isinstance(child, nn.Sequential | nn.ModuleList) else []
        if len(parts) > 1:
            found |= {f"{called}.{part}": f"{prefix}{name}.{part}" for part, _ in parts}
    return found


def _with_matrices(module: nn.Module) -> list[tuple[str, nn.Module]]:
    """The children that have weights of more than one dimension."""
    return [
        (name, child)
        for name, child in module.named_children()
        if any(weight.dim() > 1 for weight in child.parameters())
    ]


def train_from(model: "Classifier", start: str) -> None:
    """Lets a training change the head, and the trunk from a block on.

    Args:
        model: all of whose weights are set to be trained or frozen, in place.
        start: `all`, `head`, or the name of one of the trunk's `blocks`.

    Raises:
        InputError: if there is no such block.
    """
    model.requires_grad_(True)
    if start == "all":
        return
    model.trunk.requires_grad_(False)
    if start == "head":
        return
    known = blocks(model.trunk)
    if start not in known:
        accepted = ", ".join(["all", "head", *known])
        raise InputError(f"params.yaml: network.train is {start!r}; accepted: {accepted}")
    reached = False
    for name, module in model.trunk.named_modules():
        reached = reached or name == known[start]
        for weight in module.parameters(recurse=False):
            weight.requires_grad_(reached)


def rest(trunk: nn.Module) -> None:
    """Switches what is frozen to prediction: no batch statistics are gathered, nothing dropped.

    A module is frozen if it has weights, none of which is trained; one without weights is if the
    module before it is.
    """
    frozen = True
    for module in trunk.modules():
        weights = list(module.parameters(recurse=False)) or list(module.parameters())
        if weights:
            frozen = not any(weight.requires_grad for weight in weights)
        if frozen:
            module.training = False
