"""Hyperband (arXiv 1603.06560) with synchronous rungs: its result depends on no worker's speed."""

import math
from collections.abc import Iterator, Sequence
from typing import Literal

from pipeline.learning.validation import Score

Pruner = Literal["none", "hyperband"]
KEPT = 3
"""Of so many trials of a rung one goes on, for so many times as long."""
DEEPEST = 2
"""The most rungs at which trials of a bracket are ended."""


def brackets(pruner: Pruner, batch: int) -> Iterator[tuple[int, list[float]]]:
    """Yields without end how many trials start together, and the shares of a training at its rungs.

    Args:
        pruner: without one, all trials are whole.
        batch: how many start together without one.
    """
    while True:
        if pruner == "none":
            yield batch, [1.0]
            continue
        for depth in range(DEEPEST, -1, -1):
            count = math.ceil((DEEPEST + 1) / (depth + 1) * KEPT**depth)
            yield count, [KEPT**-left for left in range(depth, -1, -1)]


def best(scores: Sequence[Score]) -> list[int]:
    """The places of those that go on to the next rung, in their order; of equals, the earlier."""
    ranked = sorted(range(len(scores)), key=scores.__getitem__, reverse=True)
    return sorted(ranked[: math.ceil(len(scores) / KEPT)])
