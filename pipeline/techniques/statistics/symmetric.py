"""Symmetric matrices, of which files have but the upper half."""

import torch
from torch import Tensor


def half(matrix: Tensor) -> Tensor:
    """The upper half of a symmetric matrix `(n, n)`, row by row: `(n · (n + 1) / 2,)`."""
    rows, columns = torch.triu_indices(*matrix.shape)
    return matrix[rows, columns]


def whole(values: Tensor, size: int) -> Tensor:
    """The symmetric matrix `(size, size)` of which `half` gave the values."""
    upper = values.new_zeros(size, size)
    rows, columns = torch.triu_indices(size, size)
    upper[rows, columns] = values
    return upper + upper.triu(1).T
