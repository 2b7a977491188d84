"""Labelled images and features as tensors on a device, read from their files when asked for."""

import torch
from torch import Tensor

from pipeline.core.labelled import Labelled


class Rows:
    """The rows of several tensors one after the other, which are read when they are asked for.

    Images may be mapped from files, and more than there is memory.
    """

    def __init__(self, *parts: Tensor):
        self._parts = parts
        self.device = parts[0].device

    def __len__(self) -> int:
        return sum(map(len, self._parts))

    def __getitem__(self, chosen: Tensor) -> Tensor:
        """Some rows, by their indices `(n,)`."""
        first = self._parts[0]
        rows = first.new_empty((len(chosen), *first.shape[1:]))
        start = 0
        for part in self._parts:
            of_part = (chosen >= start) & (chosen < start + len(part))
            rows[of_part] = part[chosen[of_part] - start]
            start += len(part)
        return rows


def join(device: torch.device, *parts: Labelled) -> tuple[Rows, Tensor]:
    """Puts the inputs and the labels of some parts one after the other, on a device."""
    labels = torch.cat([torch.from_numpy(part.labels) for part in parts])
    return Rows(*(torch.from_numpy(part.inputs).to(device) for part in parts)), labels.to(device)


def tensors(device: torch.device, part: Labelled) -> tuple[Tensor, Tensor]:
    """The inputs and the labels of a part, on a device."""
    return torch.from_numpy(part.inputs).to(device), torch.from_numpy(part.labels).to(device)
