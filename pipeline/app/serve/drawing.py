"""Digits from a canvas or a sheet of paper, brought to the form of the training images."""

import numpy as np
import numpy.typing as npt
from PIL import Image

from pipeline.core.errors import InputError

HEIGHTS = {"mnist": 20, "digits": 28}
"""Pixels of a digit's longer side in the sources of digits, whose images have 28."""
FAINT = 13
"""What is darker, of 255, is background."""


def digit(image: npt.NDArray[np.uint8], size: int, height: int) -> npt.NDArray[np.uint8]:
    """Brings a digit to the form of MNIST: white on black, of one height, centred by its mass.

    A digit that is dark on a light ground is inverted. A MNIST image stays nearly as it is.
    Source: LeCun et al. 1998, Gradient-based learning applied to document recognition, III-A.

    Args:
        image: `(1, side, side)`, uint8.
        size: pixels a side of the result.
        height: of the digit's longer side, pixels.

    Returns:
        `(1, size, size)`, uint8.

    Raises:
        InputError: if there is nothing on it.
    """
    pixels = image[0].astype(np.int16)
    ground = np.median(np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]]))
    ink = 255 - pixels if ground > 127 else pixels
    ink = (ink - ink.min()) * (255 / max(np.ptp(ink), 1))
    rows, columns = (np.flatnonzero((ink > FAINT).any(axis)) for axis in (1, 0))
    if not len(rows) or len(rows) == len(columns) == len(ink):
        raise InputError("there is no digit in the picture")
    box = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
    cut = Image.fromarray(ink[box].round().astype(np.uint8))
    scale = height / max(cut.size)
    shape = (max(1, round(cut.width * scale)), max(1, round(cut.height * scale)))
    small = np.asarray(cut.resize(shape, Image.Resampling.BOX if scale < 1 else None))
    placed = np.zeros((size, size), np.uint8)
    top, left = (_start(small.sum(axis, dtype=np.int64), size) for axis in (1, 0))
    placed[top : top + small.shape[0], left : left + small.shape[1]] = small
    return placed[np.newaxis]


def _start(mass: npt.NDArray[np.int64], size: int) -> int:
    """Where a digit begins so that the pixel right of the middle holds the centre of its mass.

    So it is in all images of MNIST. All of the digit stays within the image.
    """
    centre = (mass * (np.arange(len(mass)) + 0.5)).sum() / mass.sum()
    return int(np.clip(np.ceil(size / 2 - centre), 0, size - len(mass)))
