"""Drawn shapes."""

import numpy as np
import pytest

from pipeline.shapes import drawing


def test_same_seed_same_bytes_and_other_seed_other_images() -> None:
    images, labels = drawing.images(["star", "cross"], 5, 64, seed=1)
    again, _ = drawing.images(["star", "cross"], 5, 64, seed=1)
    other, _ = drawing.images(["star", "cross"], 5, 64, seed=2)
    assert images.shape == (10, 3, 64, 64)
    assert labels.tolist() == [0] * 5 + [1] * 5
    assert images.tobytes() == again.tobytes()
    seen = {image.tobytes() for image in images}
    assert len(seen) == 10
    assert not seen & {image.tobytes() for image in other}


@pytest.mark.parametrize(
    "shape", [name for name in drawing.SHAPES if name not in ("checks", "noise")]
)
def test_shapes_are_whole_and_stand_out(shape: str) -> None:
    images, _ = drawing.images([shape], 40, 64, seed=0)
    luminance = np.tensordot([0.299, 0.587, 0.114], images, (0, 1))
    for image in luminance:
        border = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])
        inside = (image < border.min() - 15) | (image > border.max() + 15)
        assert inside.sum() > 40


def test_shapes_vary_in_place_size_and_colour() -> None:
    images, _ = drawing.images(["circle"], 50, 64, seed=0)
    assert np.unique(images[:, :, 0, 0], axis=0).shape[0] > 40


@pytest.mark.parametrize("shape", drawing.RANDOM)
def test_random_outlines_differ_in_more_than_place_and_size(shape: str) -> None:
    rng = np.random.default_rng(0)
    images = [drawing.draw(shape, rng, 64) for _ in range(40)]
    # The share of a shape's extent that it fills: the same for all images of one form, filled.
    filled = set()
    for image in images:
        luminance = np.tensordot([0.299, 0.587, 0.114], image, (0, 0))
        border = np.concatenate([luminance[0], luminance[-1], luminance[:, 0], luminance[:, -1]])
        inside = (luminance < border.min() - 15) | (luminance > border.max() + 15)
        rows, columns = np.nonzero(inside)
        filled.add(round(inside.sum() / (np.ptp(rows) + 1) / (np.ptp(columns) + 1), 1))
    assert len(filled) > 4


def test_unknown_shape_is_refused() -> None:
    with pytest.raises(ValueError, match="no shape is named 'heart'; accepted: triangle"):
        drawing.images(["heart"], 1, 64, seed=0)
