"""Rows beside those of a base's output layer: one for each new class.

All old weights stay, and the old logits are those of the old head, bit for bit: the new class is
taken where its row's value exceeds them.
"""

from pathlib import Path
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pipeline.core import artifacts
from pipeline.learning import changes, models
from pipeline.learning.networks import Classifier

KIND = "a row for a new class"


class Row(NamedTuple):
    """The unit of a class: `weight · features + bias` is its logit.

    Attributes:
        weight: `(width,)`, float32.
        bias: of the logit.
    """

    weight: Tensor
    bias: float

    def __call__(self, features: Tensor) -> Tensor:
        """The logits of the class, `(n,)`, for features `(n, width)`."""
        return features @ self.weight + self.bias

    def save(self, path: Path | str, name: str, base: Classifier) -> None:
        """Saves the row, the name of its class and that of the trunk to a safetensors file."""
        about = {"kind": KIND, "class": name, "trunk": models.trunk_name(base.trunk)}
        arrays = {"weight": self.weight.cpu(), "bias": torch.tensor([self.bias])}
        artifacts.save_tensors(path, arrays, about)

    @classmethod
    def load(cls, path: Path | str, base: Classifier) -> tuple["Row", str]:
        """Loads what `save` saved: the row, and the name of its class.

        Raises:
            InputError: if it belongs to another base.
        """
        arrays, about = artifacts.load_tensors(path, KIND)
        changes.belongs(Path(path), about["trunk"], base)
        return cls(torch.from_numpy(arrays["weight"]), float(arrays["bias"][0])), about["class"]


def appended(logits: Tensor, row: Row, features: Tensor) -> Tensor:
    """Logits `(n, k)` with the row's behind them, `(n, k + 1)`: the first k are the same bits."""
    return torch.cat([logits, row(features)[:, None]], dim=1)


class Rows(nn.Module):
    """A head that is left as it is, but for rows in place of some columns of its logits.

    Args:
        head: features `(n, width)` to logits `(n, classes)`; frozen.
        rows: the columns, and the row of each.
    """

    def __init__(self, head: nn.Module, rows: dict[int, Row]):
        super().__init__()
        self.head = head.requires_grad_(False)
        self.columns = list(rows)
        self.weight = nn.Parameter(torch.stack([row.weight for row in rows.values()]))
        self.bias = nn.Parameter(torch.tensor([row.bias for row in rows.values()]))

    @property
    def rows(self) -> dict[int, Row]:
        """The row of each column."""
        pairs = zip(self.weight.detach(), self.bias.tolist(), strict=True)
        return {column: Row(*pair) for column, pair in zip(self.columns, pairs, strict=True)}

    def forward(self, features: Tensor) -> Tensor:
        logits: Tensor = self.head(features).clone()
        for place, column in enumerate(self.columns):  # one by one: the bits of each stay its own
            row = slice(place, place + 1)
            logits[:, column] = F.linear(features, self.weight[row], self.bias[row])[:, 0]
        return logits


def file(column: int | str) -> str:
    """The name of the file in which a method's folder has the row of a column."""
    return f"row_{column}.safetensors"


def restore(folder: Path | str, base: Classifier) -> Classifier | None:
    """The base with the rows that a folder has, if it has some."""
    files = {int(path.stem.split("_")[1]): path for path in sorted(Path(folder).glob(file("*")))}
    rows = {column: Row.load(path, base)[0] for column, path in files.items()}
    return with_rows(base, rows) if rows else None


def with_rows(base: Classifier, rows: dict[int, Row]) -> Classifier:
    """The base, with rows for the classes of some columns beside those it has; all else frozen."""
    had = base.head.rows if isinstance(base.head, Rows) else {}
    model = without_rows(base)
    model.head = Rows(model.head, had | rows)
    return model.eval()


def without_rows(base: Classifier) -> Classifier:
    """A copy of the base with its own head alone."""
    return models.with_head(base, base.head.head if isinstance(base.head, Rows) else base.head)
