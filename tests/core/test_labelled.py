"""Labelled images: saved, mapped, chosen from, put together."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.core import labelled
from pipeline.core.errors import InputError
from pipeline.core.labelled import CHUNK, Labelled, merge


def sample() -> Labelled:
    labels = np.repeat([0, 1, 2], [50, 30, 5])
    return Labelled(np.arange(85)[:, None], labels, ["a", "b", "c"], [2])


def test_it_comes_back_mapped(tmp_path: Path) -> None:
    inputs = np.arange(12, dtype=np.uint8).reshape(3, 1, 2, 2)
    Labelled(inputs, np.array([0, 1, 0]), ["zero", "one"], [1]).save(tmp_path)
    loaded = Labelled.load(tmp_path)
    np.testing.assert_array_equal(loaded.inputs, inputs)
    assert loaded.inputs.dtype == np.uint8
    assert isinstance(loaded.inputs, np.memmap)
    assert loaded.labels.tolist() == [0, 1, 0]
    assert loaded.classes == ["zero", "one"]
    assert loaded.is_new.tolist() == [False, True, False]


def test_some_rows_are_saved_in_the_order_given(tmp_path: Path) -> None:
    count = 2 * CHUNK + 1
    data = Labelled(
        np.arange(count, dtype=np.float32)[:, None], np.arange(count) % 3, ["a", "b", "c"], []
    )
    rows = np.arange(count)[::-1]
    data.save(tmp_path, rows)
    loaded = Labelled.load(tmp_path)
    assert np.array_equal(loaded.inputs[:, 0], rows)
    assert np.array_equal(loaded.labels, rows % 3)


def test_parts_that_do_not_belong_together_are_refused(tmp_path: Path) -> None:
    data = sample()._replace(inputs=sample().inputs.astype(np.float32))
    data.save(tmp_path / "one")
    data.where(np.arange(9)).save(tmp_path / "other")
    (tmp_path / "other/labels.npy").replace(tmp_path / "one/labels.npy")
    with pytest.raises(InputError, match=r"one/labels\.npy: is not a label for each"):
        Labelled.load(tmp_path / "one")
    (tmp_path / "one/labels.npy").unlink()
    data.save(tmp_path / "one")
    (tmp_path / "one/about.json").write_text("[]")
    with pytest.raises(InputError, match=r"about\.json: "):
        Labelled.load(tmp_path / "one")
    with pytest.raises(InputError, match=r"about\.json: not found"):
        Labelled.load(tmp_path / "none")


@pytest.mark.parametrize(("count", "expected"), [(None, [50, 30, 5]), (20, [20, 20, 5])])
def test_few_of_each_class(count: int | None, expected: list[int]) -> None:
    chosen = sample().few(count, seed=1)
    assert np.bincount(chosen.labels).tolist() == expected
    assert len(np.unique(chosen.inputs)) == len(chosen.inputs)
    assert (sample().labels[chosen.inputs[:, 0]] == chosen.labels).all()
    again, other = (sample().few(count, seed=seed).inputs for seed in (1, 2))
    assert np.array_equal(again, chosen.inputs)
    assert np.array_equal(other, chosen.inputs) == (count is None)


def test_rows_of_rare_classes_are_repeated() -> None:
    labels = sample().labels
    rows = labelled.repeated(labels, 32)
    assert rows[:85].tolist() == list(range(85))
    assert np.bincount(labels[rows]).tolist() == [50, 32, 32]
    times = np.bincount(rows)[labels == 2]
    assert {*times.tolist()} == {6, 7}  # of five rows each as often as the others, or once more
    assert len(labelled.repeated(labels[:0], 32)) == 0


def test_some_classes_only_are_counted_anew() -> None:
    part = sample().only([2, 0])
    assert part.classes == ["c", "a"]
    assert part.new == [0]
    assert np.bincount(part.labels).tolist() == [5, 50]
    assert (part.inputs[part.labels == 0, 0] >= 80).all()


def test_merged_parts_share_classes_of_the_same_name() -> None:
    whole = merge(sample().only([2, 0]), sample().only([1, 2]))
    assert whole.classes == ["c", "a", "b"]
    assert whole.new == [0]
    assert np.bincount(whole.labels).tolist() == [10, 50, 30]
    assert isinstance(whole.inputs, np.memmap)  # images may be more than there is memory
    assert np.array_equal(whole.inputs[:55], sample().only([2, 0]).inputs)
    assert np.array_equal(whole.inputs[55:], sample().only([1, 2]).inputs)


def test_no_images_are_merged_too() -> None:
    nothing = sample().where(np.zeros(85, bool))
    assert merge(nothing, nothing).inputs.shape == (0, 1)
    assert np.array_equal(merge(nothing, sample()).inputs, sample().inputs)


def test_classes_are_found_by_their_names() -> None:
    assert labelled.indices(["1", "0"], ["0", "2", "1"], "some.key") == [2, 0]
    for names, problem in (
        (["stra"], r"some\.key has stra, which is no class; did you mean star\?"),
        (["9"], r"some\.key has 9, which is no class; accepted: star, cross"),
        (["star", "star"], r"some\.key names star twice"),
    ):
        with pytest.raises(InputError, match=f"params.yaml: {problem}"):
            labelled.indices(names, ["star", "cross"], "some.key")
