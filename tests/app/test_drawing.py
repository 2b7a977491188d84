"""Digits brought to the form of MNIST."""

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageDraw

from pipeline.app.serve.drawing import digit
from pipeline.core.errors import InputError

Pixels = npt.NDArray[np.uint8]


def stroke(*points: tuple[int, int], width: int = 20, side: int = 280) -> Pixels:
    """White strokes on black: `(1, side, side)`."""
    sheet = Image.new("L", (side, side))
    ImageDraw.Draw(sheet).line(points, fill=255, width=width, joint="curve")
    return np.asarray(sheet)[np.newaxis]


SEVEN = ((80, 60), (200, 60), (120, 230))


@pytest.mark.parametrize(
    "points", [SEVEN, ((140, 40), (140, 240)), ((30, 200), (250, 210))], ids="7|-"
)
def test_longer_side_is_twenty_pixels_and_the_mass_is_in_the_middle(
    points: tuple[tuple[int, int], ...],
) -> None:
    [image] = digit(stroke(*points), 28, 20)
    rows, columns = np.nonzero(image)
    assert max(np.ptp(rows), np.ptp(columns)) + 1 == 20
    for axis in (0, 1):
        centre = np.average(np.arange(28) + 0.5, weights=image.sum(1 - axis, dtype=float))
        assert 14 <= centre < 15


def test_place_size_and_which_of_ink_and_paper_is_lighter_do_not_matter() -> None:
    drawn = digit(stroke(*SEVEN), 28, 20)
    moved = np.roll(stroke(*SEVEN), (30, -50), (1, 2))
    paper = (255 - stroke(*SEVEN) * 0.7).astype(np.uint8)
    assert np.array_equal(digit(moved, 28, 20), drawn)
    assert np.abs(digit(paper, 28, 20).astype(int) - drawn).max() <= 2
    small = stroke(*((x // 2, y // 2) for x, y in SEVEN), width=10)
    assert np.abs(digit(small, 28, 20).astype(int) - drawn).mean() < 8


def test_what_has_that_form_stays_as_it_is() -> None:
    image = digit(stroke(*SEVEN), 28, 20)
    assert np.array_equal(digit(image, 28, 20), image)


def test_a_digit_as_high_as_the_image_is_not_cut() -> None:
    [image] = digit(stroke(*SEVEN), 28, 28)
    assert image[0].any()
    assert image[-1].any()


@pytest.mark.parametrize("value", [0, 127, 255])
def test_an_empty_sheet_is_refused(value: int) -> None:
    with pytest.raises(InputError, match="no digit"):
        digit(np.full((1, 280, 280), value, np.uint8), 28, 20)
