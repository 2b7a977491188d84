"""Pictures of every kind that is read, and of those that aren't."""

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from pipeline.core.errors import InputError
from pipeline.sources import pictures
from pipeline.sources.pictures import ORIENTATION
from tests.sources.made import noise, save

RED, WHITE = (255, 0, 0), (255, 255, 255)


def encoded(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def plain(mode: str, colour: Any) -> Image.Image:
    return Image.new(mode, (16, 16), colour)


def read(content: bytes | Path, channels: int = 3, size: int = 16) -> np.ndarray:
    return pictures.read(content, size, channels, "crop")


@pytest.mark.parametrize("kind", ["PNG", "BMP", "PPM", "TIFF", "WEBP", "GIF"])
def test_what_loses_nothing_comes_back_as_it_was(kind: str, tmp_path: Path) -> None:
    pixels = noise(0, 16, 16) // 128 * 255  # eight colours, so that GIF holds them
    options = {"lossless": True} if kind == "WEBP" else {}
    content = encoded(Image.fromarray(pixels), kind, **options)
    assert np.array_equal(read(content), pixels.transpose(2, 0, 1))
    (tmp_path / "größer 大.Dat").write_bytes(content)
    assert np.array_equal(read(tmp_path / "größer 大.Dat"), read(content))


@pytest.mark.parametrize(
    ("image", "kind", "expected"),
    [
        (plain("1", 1), "PNG", WHITE),
        (plain("L", 90), "JPEG", (90, 90, 90)),
        (plain("L", 90), "PPM", (90, 90, 90)),
        (plain("RGB", RED).quantize(), "PNG", RED),
        (plain("RGBA", (255, 0, 0, 255)), "WEBP", RED),
        (plain("RGBA", (255, 0, 0, 0)), "PNG", WHITE),
        (plain("RGBA", (255, 0, 0, 51)), "PNG", (255, 204, 204)),
        (plain("LA", (0, 51)), "PNG", (204, 204, 204)),
        (plain("RGBA", (255, 0, 0, 0)).quantize(), "PNG", WHITE),
        (plain("CMYK", (0, 255, 255, 0)), "TIFF", RED),
        (plain("CMYK", (0, 255, 255, 0)), "JPEG", RED),
        (plain("I;16", 257 * 77), "PNG", (77, 77, 77)),
        (plain("I;16", 65535), "TIFF", WHITE),
        (plain("I", 257 * 200), "PPM", (200, 200, 200)),
        (plain("I;16B", 257 * 200), "TIFF", (200, 200, 200)),
    ],
    ids=lambda value: value.mode if isinstance(value, Image.Image) else str(value),
)
def test_every_mode_becomes_eight_bits_on_white(
    image: Image.Image, kind: str, expected: tuple[int, int, int]
) -> None:
    content = encoded(image, kind)
    assert read(content).shape == (3, 16, 16)
    assert np.abs(read(content)[:, 8, 8].astype(int) - expected).max() <= 2
    grey = np.dot(expected, (0.299, 0.587, 0.114))
    assert abs(int(read(content, channels=1)[0, 8, 8]) - grey) <= 2


def test_colour_that_stands_for_nothing_is_white() -> None:
    assert read(encoded(plain("RGB", RED), transparency=RED)).min() == 255


def test_first_picture_of_several() -> None:
    frames = [plain("RGB", RED), plain("RGB", WHITE)]
    for kind in ("GIF", "TIFF", "WEBP"):
        lossless = {"lossless": True} if kind == "WEBP" else {}
        content = encoded(frames[0], kind, save_all=True, append_images=frames[1:], **lossless)
        assert read(content)[:, 8, 8].tolist() == [255, 0, 0], kind


@pytest.mark.parametrize("held", range(1, 9))
def test_picture_is_turned_as_the_camera_was_held(held: int) -> None:
    upright = np.arange(256, dtype=np.uint8).reshape(16, 16)
    # How a camera stores it, from the definition of the tag: rows and columns, mirrored or not.
    stored = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.T,
        6: upright.T[::-1],
        7: upright.T[::-1, ::-1],
        8: upright.T[:, ::-1],
    }[held]
    exif = Image.Exif()
    exif[ORIENTATION] = held
    for kind in ("PNG", "TIFF"):
        content = encoded(Image.fromarray(np.ascontiguousarray(stored)), kind, exif=exif)
        assert np.array_equal(read(content, channels=1)[0], upright), kind


def test_exif_that_is_damaged_is_no_reason_to_refuse() -> None:
    assert read(encoded(plain("RGB", RED), "JPEG", exif=b"Exif\0\0MM\0*\xff\xff")).shape[0] == 3


def test_middle_is_cut_out_or_what_is_shorter_is_padded() -> None:
    wide = np.zeros((10, 30, 3), np.uint8)
    wide[:, 10:20] = 200
    content = encoded(Image.fromarray(wide))
    assert (pictures.read(content, 10, 3, "crop") == 200).all()
    padded = pictures.read(content, 30, 3, "pad")
    assert (padded[:, 10:20, 12:18] == 200).all()
    assert padded[:, :10].max() == padded[:, 20:].max() == 0
    tall = encoded(Image.fromarray(wide.transpose(1, 0, 2)))
    assert np.array_equal(pictures.read(tall, 30, 3, "pad"), padded.transpose(0, 2, 1))
    thin = encoded(Image.new("L", (1, 1000), 255))
    assert pictures.read(thin, 8, 1, "pad").max() > 0


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_fine_stripes_become_grey_not_stripes(kind: str) -> None:
    stripes = np.zeros((512, 512), np.uint8)
    stripes[:, ::2] = 255
    small = read(encoded(Image.fromarray(stripes), kind), channels=1, size=60)
    assert np.abs(small[:, 2:-2, 2:-2].astype(int) - 127).max() <= 3


def test_enlarged_and_reshaped_arrays() -> None:
    image = noise(0)[..., :1].transpose(2, 0, 1)
    assert np.array_equal(pictures.resized(image, 12, 1, "crop"), image)
    assert np.array_equal(pictures.resized(image, 12, 3, "crop"), np.repeat(image, 3, axis=0))
    assert pictures.resized(np.repeat(image, 3, axis=0), 32, 1, "pad").shape == (1, 32, 32)


@pytest.mark.parametrize(
    ("image", "grey"),
    [
        (plain("L", 0), True),
        (plain("1", 0), True),
        (plain("LA", (0, 0)), True),
        (plain("I;16", 0), True),
        (plain("RGB", RED), False),
        (plain("P", 0), False),
    ],
    ids=lambda value: getattr(value, "mode", ""),
)
def test_header(image: Image.Image, grey: bool) -> None:
    assert pictures.header(encoded(image.crop((0, 0, 16, 9)))) == (9, grey)


def huge_png(width: int, height: int) -> bytes:
    """A PNG that is 2 GB and more when it is decoded, in a few bytes."""

    def chunk(name: bytes, content: bytes) -> bytes:
        check = zlib.crc32(name + content)
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", check)

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        (lambda _: b"", "no picture"),
        (lambda _: b"no picture at all", "no picture"),
        (lambda b: b[:20], "no picture|cut short"),
        (lambda b: b[: len(b) // 2], "cut short or damaged"),
        (lambda b: b[:-200], "cut short or damaged"),
        (lambda _: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "no picture"),
        (lambda _: huge_png(30_000, 30_000), "more than 100,000,000 pixels"),
        (lambda _: huge_png(12_000, 9_000), "12,000×9,000 pixels"),
        (lambda _: encoded(plain("F", 0.5), "TIFF"), "fractions"),
    ],
)
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP"])
def test_what_can_not_be_decoded_is_refused_in_a_line(
    kind: str, damage: Callable[[bytes], bytes], problem: str, tmp_path: Path
) -> None:
    content = damage(encoded(Image.fromarray(noise(0, 64, 64)), kind))
    (tmp_path / "bad one").write_bytes(content)
    for picture in (content, tmp_path / "bad one"):
        with pytest.raises(InputError, match=problem) as error:
            pictures.read(picture, 8, 3, "crop", name="cat/1.jpg")
        assert str(error.value).startswith("cat/1.jpg: ")
        assert "\n" not in str(error.value)


def test_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gone\.png: cannot be read: No such file"):
        read(tmp_path / "gone.png")
    assert read(save(tmp_path / "there.png", noise(0))).shape == (3, 16, 16)
