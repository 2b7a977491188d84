"""Stratified parts, with equal rows on one side."""

import numpy as np
import pytest
from sklearn.model_selection import train_test_split

from pipeline.core.errors import InputError
from pipeline.sources import parts


def split(
    labels: np.ndarray, keys: np.ndarray, share: float, seed: int = 0
) -> tuple[set[int], set[int]]:
    classes = [str(label) for label in range(labels.max() + 1)]
    rows, out = parts.stratified(labels, keys, share, seed, classes)
    assert np.array_equal(np.sort(np.concatenate([rows, out])), np.arange(len(labels)))
    assert (np.diff(rows) > 0).all()
    assert (np.diff(out) > 0).all()
    for label in set(labels):
        assert label in labels[rows]
        assert label in labels[out]
    return set(rows), set(out)


@pytest.mark.parametrize("share", [0.1, 1 / 6, 0.5, 0.9])
@pytest.mark.parametrize("seed", [0, 7])
def test_rows_that_differ_are_parted_as_scikit_learn_does(share: float, seed: int) -> None:
    labels = np.random.default_rng(seed).choice(5, 500, p=[0.5, 0.2, 0.1, 0.1, 0.1])
    expected = train_test_split(np.arange(500), test_size=share, stratify=labels, random_state=seed)
    found = split(labels, np.random.default_rng(1).permutation(500).astype(np.uint64), share, seed)
    assert found == tuple(set(part) for part in expected)


@pytest.mark.parametrize("seed", range(5))
def test_equal_rows_are_on_the_same_side(seed: int) -> None:
    keys = np.random.default_rng(seed).integers(0, 150, 400).astype(np.uint64)
    labels = (keys % 3).astype(np.int64)
    rows, out = split(labels, keys, 0.2, seed)
    assert not {keys[row] for row in rows} & {keys[row] for row in out}
    assert len({keys[row] for row in out}) == pytest.approx(0.2 * len(set(keys)), abs=1)


def test_equal_rows_of_two_classes_are_on_the_same_side_too() -> None:
    labels = np.repeat([0, 1], 20)
    keys = np.concatenate([np.arange(20), np.arange(15, 35)]).astype(np.uint64)
    for seed in range(5):
        rows, out = split(labels, keys, 0.25, seed)
        assert not {keys[row] for row in rows} & {keys[row] for row in out}


@pytest.mark.parametrize("share", [0.01, 0.1, 0.5, 0.99])
def test_no_class_is_left_without(share: float) -> None:
    for counts in ([2] * 10, [2, 300], [3] * 40):
        labels = np.repeat(np.arange(len(counts)), counts)
        split(labels, np.arange(len(labels), dtype=np.uint64), share)


@pytest.mark.parametrize("share", [1e-6, 0.1, 0.99999])
def test_another_share_than_that_asked_for_is_said(
    share: float, capsys: pytest.CaptureFixture[str]
) -> None:
    labels = np.repeat(np.arange(10), 30)
    _, out = split(labels, np.arange(300, dtype=np.uint64), share)
    said = capsys.readouterr().err
    assert said.startswith(f"of 300 inputs {len(out)} are held out") == (share != 0.1)


@pytest.mark.parametrize(("keys", "scarce"), [([0, 1, 2], "1"), ([0, 1, 2, 2, 2], "1")])
def test_class_that_can_not_be_parted_is_named(keys: list[int], scarce: str) -> None:
    labels = np.array([0, 0, *[1] * (len(keys) - 2)])
    with pytest.raises(InputError, match=f"too few to hold out 0.5 of class {scarce}: "):
        split(labels, np.array(keys, np.uint64), 0.5)


def test_keys_are_those_of_the_bytes() -> None:
    rows = np.random.default_rng(0).integers(0, 2, (50, 1, 2, 2), np.uint8)
    keys = parts.keys(rows)
    same = [[np.array_equal(one, other) for other in rows] for one in rows]
    assert np.array_equal(keys[:, None] == keys, same)
    assert np.array_equal(parts.firsts(keys), np.argmax(same, axis=1))
