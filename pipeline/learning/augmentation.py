"""Random changes of images, made batch by batch on the device that trains."""

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from pipeline.core.errors import InputError
from pipeline.core.labelled import Labelled
from pipeline.core.params import Fraction, NotNegative, Section

VIEWS = 8
"""The ways to turn and mirror a square image."""


class Augmentation(Section):
    """Largest rotation (radians), relative change of size and move (pixels); 0 is none.

    `mirror` shows every other image, by chance, mirrored.
    """

    rotation: NotNegative
    scale: Fraction
    translation: NotNegative
    mirror: bool = False

    def __call__(self, images: Tensor) -> Tensor:
        """Changes a batch of images at random, as `random_affine` and `random_mirror`."""
        if self.mirror:
            images = random_mirror(images)
        if self.rotation or self.scale or self.translation:
            images = random_affine(images, self.rotation, self.scale, self.translation)
        return images


NONE = Augmentation(rotation=0.0, scale=0.0, translation=0.0)


def chosen(given: Augmentation | Literal["auto"], images: Labelled) -> Augmentation:
    """The augmentation that was given, or the one that suits the images.

    Raises:
        InputError: if there are no images to augment.
    """
    if given != "auto":
        if images.inputs.ndim != 4 and given != NONE:
            raise InputError("params.yaml: rows of a table can't be augmented; auto accepted")
        return given
    return Augmentation.model_validate(dict(images.advice["augmentation"]))


def random_mirror(images: Tensor) -> Tensor:
    """Mirrors every image `(n, channels, height, width)` from left to right, or not, by chance."""
    mirrored = torch.rand(len(images), device=images.device) < 0.5
    return torch.where(mirrored[:, None, None, None], images.flip(3), images)


def random_affine(images: Tensor, rotation: float, scale: float, translation: float) -> Tensor:
    """Turns, scales and moves every image of a batch at random, each by its own draw.

    Args:
        images: `(n, channels, height, width)`, uint8 or float in [0, 1].
        rotation: largest angle, radians.
        scale: largest relative change of size.
        translation: largest move, pixels.

    Returns:
        float32 in [0, 1], of the same shape; what comes in from outside is 0. Images that are only
        moved are so by whole pixels, for between them they would be blurred.
    """
    count, _, height, width = images.shape
    draws = torch.rand(4, count, device=images.device) * 2 - 1
    angle, size = draws[0] * rotation, 1 + draws[1] * scale
    cosine, sine = angle.cos() / size, angle.sin() / size
    if translation and not (rotation or scale):
        draws[2:] = (draws[2:] * translation).round() / translation
    right, down = draws[2] * (2 * translation / width), draws[3] * (2 * translation / height)
    matrix = torch.stack([cosine, -sine, right, sine, cosine, down], dim=1).view(count, 2, 3)
    grid = F.affine_grid(matrix, list(images.shape), align_corners=False)
    pixels = images.float() / 255 if images.dtype == torch.uint8 else images
    return F.grid_sample(pixels, grid, align_corners=False)


def random_turn(images: Tensor) -> Tensor:
    """Turns and mirrors square images `(n, channels, h, h)`, all in one way, drawn at random."""
    return turned(images, int(torch.randint(VIEWS, ())))


def turned(images: Tensor, view: int) -> Tensor:
    """Square images turned by 90° `view // 2` times, and mirrored if `view` is odd."""
    images = images.rot90(view // 2, (2, 3))
    return images.flip(3) if view % 2 else images
