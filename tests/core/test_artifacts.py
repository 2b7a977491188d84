"""Files: whole or not there, equal when equal, refused when damaged."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

from pipeline.core import artifacts
from pipeline.core.errors import InputError


def test_tensors_come_back(tmp_path: Path) -> None:
    arrays = {"b": np.arange(6, dtype=np.float32).reshape(2, 3), "a": np.array([1, 2])}
    artifacts.save_tensors(tmp_path / "x", arrays, {"kind": "test", "names": ["one", "two"]})
    loaded, about = artifacts.load_tensors(tmp_path / "x", "test")
    assert about == {"kind": "test", "names": ["one", "two"]}
    for name, array in arrays.items():
        np.testing.assert_array_equal(loaded[name], array)


def test_equal_tensors_give_equal_bytes_in_every_process(tmp_path: Path) -> None:
    code = (
        "import sys, numpy as np; from pipeline.core import artifacts;"
        "about = dict(zip('kind bcd efg'.split(), 'xyz'));"
        "artifacts.save_tensors(sys.argv[1], {n: np.ones(3) for n in set('pqrst')}, about)"
    )
    for name in "12":
        subprocess.run([sys.executable, "-c", code, tmp_path / name], check=True)
    assert (tmp_path / "1").read_bytes() == (tmp_path / "2").read_bytes()


@pytest.mark.parametrize("kept", [0, 4, 60, -1])
def test_file_cut_short_is_refused(tmp_path: Path, kept: int) -> None:
    path = tmp_path / "x.safetensors"
    artifacts.save_tensors(path, {"a": np.ones(100)}, {"kind": "test"})
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(InputError, match=r"x\.safetensors: cut short, or not a safetensors file"):
        artifacts.load_tensors(path, "test")


def test_other_kinds_are_refused(tmp_path: Path) -> None:
    artifacts.save_tensors(tmp_path / "x", {"a": np.ones(1)}, {"kind": "a model"})
    with pytest.raises(InputError, match="x: holds a model; labelled inputs accepted"):
        artifacts.load_tensors(tmp_path / "x", "labelled inputs")
    with pytest.raises(InputError, match="y: not found"):
        artifacts.load_tensors(tmp_path / "y", "a model")


@pytest.mark.parametrize("dtype", ["uint8", "float32", "int64"])
def test_rows_come_back_mapped_from_parts(tmp_path: Path, dtype: str) -> None:
    array = np.arange(24).astype(dtype).reshape(6, 2, 2)
    artifacts.save_rows(tmp_path / "x", array.shape, dtype, (array[:4], array[4:]))
    content = (tmp_path / "x").read_bytes()
    loaded = artifacts.load_rows(tmp_path / "x")
    np.testing.assert_array_equal(loaded, array)
    np.testing.assert_array_equal(np.load(tmp_path / "x"), array)
    assert loaded.dtype == dtype
    assert isinstance(loaded, np.memmap)
    loaded += 1
    assert (tmp_path / "x").read_bytes() == content


@pytest.mark.parametrize("kept", [0, 4, 60, -1])
def test_rows_cut_short_are_refused(tmp_path: Path, kept: int) -> None:
    path = tmp_path / "x.npy"
    artifacts.save_rows(path, (100, 2), np.float32, [np.ones((100, 2))])
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(InputError, match=r"x\.npy: cut short, or not an array"):
        artifacts.load_rows(path)


def test_rows_that_hold_objects_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.array([{}]), allow_pickle=True)
    with pytest.raises(InputError, match=r"x\.npy: "):
        artifacts.load_rows(tmp_path / "x.npy")
    with pytest.raises(InputError, match=r"y\.npy: not found"):
        artifacts.load_rows(tmp_path / "y.npy")


def test_metrics_are_sorted_rounded_and_finite(tmp_path: Path) -> None:
    content = {"b": 1 / 3, "a": [np.float64(2 / 3), np.int64(4), np.bool_(True)], "c": float("nan")}
    artifacts.save_json(tmp_path / "x", content)
    text = (tmp_path / "x").read_text()
    assert json.loads(text) == {"a": [0.666667, 4, True], "b": 0.333333, "c": None}
    assert text.index('"a"') < text.index('"b"')


def test_tables_come_back_with_the_columns_of_all_rows(tmp_path: Path) -> None:
    artifacts.save_table(tmp_path / "x", [{"a": 1, "b": 0.5}, {"a": 2, "c": "z"}])
    table = artifacts.load_table(tmp_path / "x")
    assert list(table.columns) == ["a", "b", "c"]
    assert table["a"].tolist() == [1, 2]
    assert table["b"].isna().tolist() == [False, True]


def test_records_are_numbers_again(tmp_path: Path) -> None:
    rows = [{"name": "x", "trial": 1, "score": 0.5}, {"name": "y", "trial": 2, "score": 0.25}]
    artifacts.save_table(tmp_path / "x", rows)
    assert artifacts.load_records(tmp_path / "x") == rows


def test_tables_of_a_folder_are_one(tmp_path: Path) -> None:
    assert artifacts.load_tables(tmp_path).empty
    for name in "ba":
        artifacts.save_table(tmp_path / f"{name}.csv", [{"x": 1}, {"x": 2}])
    assert artifacts.load_tables(tmp_path).to_dict("list") == {
        "x": [1, 2, 1, 2],
        "name": ["a", "a", "b", "b"],
    }


def test_full_disk_is_one_line_and_keeps_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("old")
    code = (
        "import resource, sys\n"
        "from pipeline.core import artifacts, errors\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "try: artifacts.save_bytes(sys.argv[1], bytes(2000))\n"
        "except errors.InputError as error: print(error)"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "x")]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert printed == f"{tmp_path / 'x'}: cannot be written: File too large\n"
    assert [file.name for file in tmp_path.iterdir()] == ["x"]
    assert (tmp_path / "x").read_text() == "old"


def test_place_out_of_reach_is_one_line() -> None:
    with pytest.raises(InputError, match="/proc/no/x: cannot be written: "):
        artifacts.save_bytes("/proc/no/x", b"")


def test_numbers_that_are_not_finite_are_neither_written_nor_read(tmp_path: Path) -> None:
    for bad in (np.nan, np.inf):
        arrays = {"a": np.array([1.0, bad], np.float32)}
        with pytest.raises(InputError, match="x: a has numbers that are not finite, and is not wr"):
            artifacts.save_tensors(tmp_path / "x", arrays, {"kind": "test"})
        with pytest.raises(InputError, match="y: it has numbers that are not finite, and is not"):
            artifacts.save_rows(tmp_path / "y", (2,), np.float32, [arrays["a"]])
        with pytest.raises(InputError, match="z: a figure is infinite, and not written"):
            artifacts.save_json(tmp_path / "z", {"a": np.inf})
        assert list(tmp_path.iterdir()) == []
        about = {"about": json.dumps({"kind": "test"})}
        (tmp_path / "x").write_bytes(safetensors.numpy.save(arrays, about))
        with pytest.raises(InputError, match="x: a has numbers that are not finite, and is not us"):
            artifacts.load_tensors(tmp_path / "x", "test")
        (tmp_path / "x").unlink()
