"""The digits that need no download."""

import numpy as np

from pipeline.sources import digits


def test_digits_are_the_same_every_time_and_all_there() -> None:
    train, test = digits.load()
    for data, again in zip((train, test), digits.load(), strict=True):
        assert data.inputs.tobytes() == again.inputs.tobytes()
        assert data.labels.tolist() == again.labels.tolist()
    assert train.inputs.shape == (1497, 1, 28, 28)
    assert test.inputs.shape == (300, 1, 28, 28)
    assert train.inputs.dtype == np.uint8
    assert train.inputs.max() == 255
    assert train.classes == test.classes == list("0123456789")
    assert set(train.labels) == set(test.labels) == set(range(10))
    assert np.bincount(test.labels).min() == 29
