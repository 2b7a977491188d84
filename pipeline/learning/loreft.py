"""LoReFT (arXiv 2404.03592): a low-rank edit of a hidden representation, all weights frozen."""

from copy import deepcopy
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import parametrizations

from pipeline.core.errors import InputError


class Edited(nn.Module):
    """A frozen dense layer whose inputs h are edited: h + Rᵀ(W h + b − R h).

    The rows of R, as many as the rank, are orthonormal, and stay so. W starts as R and b as zero,
    so that a new edit changes nothing: the layer computes what it did, bit for bit.
    """

    def __init__(self, layer: nn.Linear, rank: int):
        super().__init__()
        self.layer = layer.requires_grad_(False)
        device = layer.weight.device
        rotation = nn.Linear(layer.in_features, rank, bias=False, device=device)
        nn.init.orthogonal_(rotation.weight)
        self.rotation = parametrizations.orthogonal(rotation, orthogonal_map="householder")
        self.source = nn.Linear(layer.in_features, rank, device=device)
        with torch.no_grad():
            self.source.weight.copy_(self.rows)
            nn.init.zeros_(self.source.bias)

    @property
    def rows(self) -> Tensor:
        """R, `(rank, width)`."""
        return cast(Tensor, self.rotation.weight)  # of which the parametrisation hides the type

    def forward(self, hidden: Tensor) -> Tensor:
        rows = self.rows
        edit = F.linear(hidden, self.source.weight - rows, self.source.bias) @ rows
        outputs: Tensor = self.layer(hidden + edit)
        return outputs

    def folded(self) -> nn.Linear:
        """A plain dense layer that computes the same: the edit is linear, as the layer is."""
        layer = deepcopy(self.layer)
        with torch.no_grad():
            rows = self.rows
            through = layer.weight @ rows.T
            layer.weight.add_(through @ (self.source.weight - rows))
            layer.bias.add_(through @ self.source.bias)
        return layer.requires_grad_(True)


def edit(head: nn.Module, layer: str, rank: int) -> None:
    """Freezes a head and edits the inputs of one of its dense layers, in place.

    Raises:
        InputError: if it has no such layer, or one with fewer inputs than the rank.
    """
    dense = {name: part for name, part in head.named_modules() if isinstance(part, nn.Linear)}
    if layer not in dense:
        raise InputError(
            f"params.yaml: no dense layer is named {layer}; accepted: {', '.join(dense)}"
        )
    if rank > (width := dense[layer].in_features):
        raise InputError(f"params.yaml: rank {rank} is above {width}, the inputs of {layer}")
    head.requires_grad_(False)
    head.set_submodule(layer, Edited(dense[layer], rank))


def fold(head: nn.Module) -> None:
    """Replaces every edit, in place, by a plain dense layer that computes the same."""
    for name, part in list(head.named_modules()):
        if isinstance(part, Edited):
            head.set_submodule(name, part.folded())
