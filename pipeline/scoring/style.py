"""How pictures look here: the house style, and images with captions."""

import io
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from cycler import cycler
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from pipeline.core import artifacts
from pipeline.scoring.names import title

# Okabe and Ito's palette, which the colour-blind tell apart.
COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#999999"]
WIDTH = 9.0
"""Inches; at 100 dots per inch, what a README shows without shrinking."""

mpl.use("agg")
mpl.rcdefaults()  # whatever a user's matplotlibrc says
plt.rcParams.update(
    {
        "axes.prop_cycle": cycler(color=COLOURS),
        "axes.spines.right": False,
        "axes.spines.top": False,
        "axes.grid": True,
        "axes.axisbelow": True,
        "figure.constrained_layout.use": True,
        "figure.dpi": 100,
        "font.size": 10,
        "grid.color": "#e5e5e5",
        "legend.frameon": False,
    }
)


def cut(values: Iterable[float]) -> int:
    """Where an axis of percent may begin so that these values are seen: at 90, or some tens below.

    Values near 100 are told apart only where what is far below is cut off.
    """
    return min(90, 10 * math.floor(min(values) / 10))


def save(path: str, figure: Figure) -> None:
    """Saves a figure as PNG."""
    artifacts.save_bytes(path, png(figure))


def png(figure: Figure) -> bytes:
    """The figure as a PNG file that equal figures share to the last byte."""
    content = io.BytesIO()
    figure.savefig(content, format="png", metadata={"Software": None})
    plt.close(figure)
    return content.getvalue()


def panels(count: int, height: float) -> tuple[Figure, npt.NDArray[Any]]:
    """A figure of some panels, three in a row, of a height in inches: `(rows, columns)` axes."""
    columns = min(3, count)
    rows = math.ceil(count / columns)
    figure, axes = plt.subplots(
        rows, columns, figsize=(WIDTH, height * rows), squeeze=False, sharey=True
    )
    for axis in axes.flat[count:]:
        axis.remove()
    return figure, axes


def captioned(
    images: npt.NDArray[np.uint8], captions: Sequence[str], groups: Sequence[str]
) -> Figure:
    """Images with captions, a row for each group.

    Args:
        images: `(n, channels, height, width)`, those of a group one after the other.
        captions: `n` texts.
        groups: `n` names.
    """
    names = list(dict.fromkeys(groups))
    columns = max(Counter(groups).values())
    size = (WIDTH, ((WIDTH - 1) / columns + 0.4) * len(names))
    figure, axes = plt.subplots(len(names), columns, figsize=size, squeeze=False)
    for axis in axes.flat:
        axis.set_axis_off()
    for row, name in zip(axes, names, strict=True):
        members = [index for index, group in enumerate(groups) if group == name]
        for axis, index in zip(row, members, strict=False):
            axis.imshow(images[index].transpose(1, 2, 0).squeeze(), cmap="gray_r", vmin=0, vmax=255)
            axis.set_title(captions[index], size=7)
        row[0].text(
            -0.15, 0.5, title(name), transform=row[0].transAxes, ha="right", va="center", size=9
        )
    return figure
