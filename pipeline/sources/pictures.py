"""Pictures of any kind, brought to one shape: the same for training and for predictions."""

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError

from pipeline.core.errors import InputError

Fit = Literal["crop", "pad"]
FORMATS = ("JPEG", "PNG", "BMP", "DIB", "WEBP", "TIFF", "GIF", "PPM")
"""What is read, whatever a file's name ends in."""
EXTENSIONS = frozenset(
    (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".gif", ".ppm", ".pgm")
)
LARGEST = 100_000_000
"""Pixels that a picture may have when it is decoded (JPEGs are decoded at a fraction)."""
ORIENTATION = 0x0112
"""The tag of EXIF that says how a camera was held."""
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class Header(NamedTuple):
    """What a picture's header says.

    Attributes:
        side: its smaller side, in pixels.
        grey: whether it has no colours.
    """

    side: int
    grey: bool


def read(
    picture: Path | bytes, size: int, channels: int, fit: Fit, name: str = ""
) -> npt.NDArray[np.uint8]:
    """Decodes a picture, the first if it has several, and brings it to a shape.

    It is turned as the camera was held, what is transparent is put on white, and 16 bits become 8.

    Args:
        picture: a file, or its content.
        size: pixels a side.
        channels: 1 (grey) or 3 (red, green, blue).
        fit: `crop` cuts the middle out, `pad` adds black beside what is longer.
        name: of the picture, for messages.

    Returns:
        `(channels, size, size)`.

    Raises:
        InputError: if it is no picture, cut short, or too large.
    """
    with _opened(picture, name) as image:
        image.draft(None, (2 * size, 2 * size))
        if image.width * image.height > LARGEST:
            raise ValueError(f"has {image.width:,}×{image.height:,} pixels")
        image.load()
        held = _orientation(image)  # of what is still to be turned: a TIFF no longer is
        image = _plain(image, channels)
        if held in TURNS:
            image = image.transpose(TURNS[held])
        return _array(_fitted(image, size, fit))


def header(picture: Path | bytes, name: str = "") -> Header:
    """Reads a picture's header alone.

    Raises:
        InputError: if it is no picture, or too large.
    """
    with _opened(picture, name) as image:
        grey = image.mode == "1" or (image.mode[0] in "LIF" and image.mode != "LAB")
        return Header(min(image.size), grey)


def resized(
    image: npt.NDArray[np.uint8], size: int, channels: int, fit: Fit
) -> npt.NDArray[np.uint8]:
    """Brings a decoded picture, `(1 or 3, height, width)`, to `(channels, size, size)`."""
    flat = image[0] if len(image) == 1 else image.transpose(1, 2, 0)
    return _array(_fitted(_plain(Image.fromarray(np.ascontiguousarray(flat)), channels), size, fit))


@contextmanager
def _opened(picture: Path | bytes, name: str) -> Iterator[Image.Image]:
    """An open picture; whatever its decoder raises becomes one line."""
    shown = name or (str(picture) if isinstance(picture, Path) else "the picture")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what can be decoded is welcome
            file = picture if isinstance(picture, Path) else io.BytesIO(picture)
            with Image.open(file, formats=FORMATS) as image:
                yield image
    except UnidentifiedImageError:
        raise InputError(f"{shown}: no picture ({', '.join(FORMATS)} are read)") from None
    except Image.DecompressionBombError:
        raise InputError(f"{shown}: more than {LARGEST:,} pixels are not decoded") from None
    except MemoryError:
        raise InputError(f"{shown}: too large for this machine's memory") from None
    except Exception as error:  # decoders raise whatever they stumble over
        if isinstance(error, OSError) and error.strerror:
            raise InputError(f"{shown}: cannot be read: {error.strerror}") from None
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError(f"{shown}: cut short or damaged: {reason[:160]}") from None


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(ORIENTATION, 1))
    except Exception:  # EXIF that is damaged says nothing about the picture
        return 1


def _plain(image: Image.Image, channels: int) -> Image.Image:
    """Eight bits a channel, on white, grey or red, green and blue."""
    if image.mode.startswith("I"):  # 16 bits, be they held in 32
        deep = np.clip(np.asarray(image), 0, 65535).astype(np.uint32)
        image = Image.fromarray(((deep * 255 + 32767) // 65535).astype(np.uint8))
    if image.mode == "F":
        raise ValueError("its pixels are fractions; 8 or 16 bits are read")
    if image.has_transparency_data:
        white = Image.new("RGBA", image.size, "white")
        white.alpha_composite(image.convert("RGBA"))
        image = white
    mode = "L" if channels == 1 else "RGB"
    return image if image.mode == mode else image.convert(mode)


def _fitted(image: Image.Image, size: int, fit: Fit) -> Image.Image:
    """Resizes with a filter that is as wide as a pixel of the result."""
    width, height = image.size
    filtering = Image.Resampling.LANCZOS
    if fit == "crop":
        side = min(width, height)
        left, top = (width - side) // 2, (height - side) // 2
        middle = (left, top, left + side, top + side)
        return image.resize((size, size), filtering, middle, reducing_gap=3.0)
    longer = max(width, height)
    whole = (max(1, round(width * size / longer)), max(1, round(height * size / longer)))
    padded = Image.new(image.mode, (size, size))
    place = ((size - whole[0]) // 2, (size - whole[1]) // 2)
    padded.paste(image.resize(whole, filtering, reducing_gap=3.0), place)
    return padded


def _array(image: Image.Image) -> npt.NDArray[np.uint8]:
    pixels = np.asarray(image)
    return pixels[np.newaxis] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)
