"""The way from mirrors to labelled images."""

import gzip
import hashlib
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline import datasets
from pipeline.__main__ import main
from pipeline.datasets import Data, Labelled, merge
from pipeline.errors import InputError

NAMES = list(datasets.MNIST_SHA256)
CONTENT = {name: f"content of {name}".encode() * 100 for name in NAMES}


@pytest.fixture
def pinned(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sums of CONTENT in place of MNIST's."""
    for name, content in CONTENT.items():
        sha = hashlib.sha256(content).hexdigest()
        monkeypatch.setitem(datasets.MNIST_SHA256, name, sha)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """A mirror that serves the folder `served`."""
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path / "served"))
    (tmp_path / "served").mkdir()
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as http:
        threading.Thread(target=http.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{http.server_port}/"
        http.shutdown()


def fill(folder: Path, compress: bool, change: Callable[[bytes], bytes] = bytes) -> str:
    folder.mkdir(exist_ok=True)
    for name, content in CONTENT.items():
        if compress:
            (folder / f"{name}.gz").write_bytes(change(gzip.compress(content)))
        else:
            (folder / name).write_bytes(change(content))
    return str(folder)


def mnist(*mirrors: str) -> Data:
    return Data(dataset="mnist", mirrors=list(mirrors))


@pytest.mark.usefixtures("pinned")
@pytest.mark.parametrize("compress", [True, False])
def test_directory(tmp_path: Path, compress: bool) -> None:
    assert datasets.fetch(mnist(fill(tmp_path / "m", compress))) == CONTENT


@pytest.mark.usefixtures("pinned")
def test_url(tmp_path: Path, server: str) -> None:
    fill(tmp_path / "served", compress=True)
    assert datasets.fetch(mnist("nowhere", server)) == CONTENT


@pytest.mark.usefixtures("pinned")
@pytest.mark.parametrize(
    "damage", [lambda b: b[:50], lambda b: b[:-3] + b"abc", lambda b: b"x" * 90, lambda b: b""]
)
def test_damaged_file_falls_through_to_the_next_mirror(
    tmp_path: Path, server: str, damage: Callable[[bytes], bytes]
) -> None:
    fill(tmp_path / "served", True, damage)
    broken = fill(tmp_path / "broken", True, damage)
    whole = fill(tmp_path / "whole", True)
    assert datasets.fetch(mnist(broken, server, whole)) == CONTENT


@pytest.mark.usefixtures("pinned")
def test_no_mirror_names_each_and_the_way_out(tmp_path: Path, server: str) -> None:
    wrong = fill(tmp_path / "wrong", False, bytes.upper)
    with pytest.raises(InputError) as error:
        datasets.fetch(mnist("nowhere", wrong, server))
    message = str(error.value)
    assert "\n" not in message
    assert "nowhere: no such directory" in message
    assert f"{wrong}: wrong content (SHA-256 " in message
    assert f"{server}: 404" in message
    assert message.endswith("dvc exp run -S data.dataset=digits")


@pytest.mark.usefixtures("pinned")
def test_relative_directory_is_found_from_a_copy_inside_the_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path / "mirror", True)
    inner = tmp_path / "project/.dvc/tmp/exps/standalone/copy"
    (inner / ".dvc").mkdir(parents=True)
    monkeypatch.chdir(inner)
    assert datasets.fetch(mnist("../mirror")) == CONTENT


def test_bundled_digits_are_the_same_every_time_and_all_there() -> None:
    data = Data(dataset="digits", mirrors=["none"])
    files = datasets.fetch(data)
    assert files == datasets.fetch(data)
    train, test = datasets.parse(files)
    assert train.inputs.shape[1:] == test.inputs.shape[1:] == (1, 28, 28)
    assert len(train.labels) + len(test.labels) == 1797
    assert set(train.labels) == set(test.labels) == set(range(10))
    assert train.inputs.max() == 255


@pytest.mark.parametrize("damage", [lambda b: b[:-1], lambda b: b"\0" + b, lambda b: b[:5]])
def test_file_that_is_not_idx_is_refused(damage: Callable[[bytes], bytes]) -> None:
    files = datasets.fetch(Data(dataset="digits", mirrors=["none"]))
    files["train-images-idx3-ubyte"] = damage(files["train-images-idx3-ubyte"])
    with pytest.raises(InputError, match="train-images-idx3-ubyte: "):
        datasets.parse(files)


def test_labelled_comes_back(tmp_path: Path) -> None:
    inputs = np.arange(12, dtype=np.uint8).reshape(3, 1, 2, 2)
    data = Labelled(inputs, np.array([0, 1, 0]), ["zero", "one"], [1])
    data.save(tmp_path / "x")
    loaded = Labelled.load(tmp_path / "x")
    np.testing.assert_array_equal(loaded.inputs, inputs)
    assert loaded.classes == ["zero", "one"]
    assert loaded.is_new.tolist() == [False, True, False]


def split(edit: Callable[[dict[str, Any]], None], **changes: Any) -> dict[str, Labelled]:
    edit({"data": {"dataset": "digits"}, "split": changes})
    assert main(["download"]) == main(["split"]) == 0
    parts = ("old_train", "new_train", "validation", "test")
    return {part: Labelled.load(f"data/split/{part}.safetensors") for part in parts}


def test_split_parts_every_image_once_and_keeps_the_shares(
    edit: Callable[[dict[str, Any]], None],
) -> None:
    parts = split(edit, new_classes=[3, 7], validation=0.2)
    files = {file.name: file.read_bytes() for file in Path("data/raw").iterdir()}
    train, test = datasets.parse(files)
    again = np.concatenate([part.inputs for name, part in parts.items() if name != "test"])
    assert sorted(image.tobytes() for image in again) == sorted(
        image.tobytes() for image in train.inputs
    )
    np.testing.assert_array_equal(parts["test"].inputs, test.inputs)
    assert set(parts["new_train"].labels) == {3, 7}
    assert set(parts["old_train"].labels) == set(range(10)) - {3, 7}
    share = np.bincount(parts["validation"].labels) / np.bincount(train.labels)
    np.testing.assert_allclose(share, 0.2, atol=0.01)


@pytest.mark.parametrize(
    ("classes", "problem"),
    [
        (list(range(10)), "no old class is left"),
        ([10], "there is no class 10"),
        ([1, 1], "a class is named twice"),
    ],
)
def test_impossible_new_classes(
    edit: Callable[[dict[str, Any]], None],
    capsys: pytest.CaptureFixture[str],
    classes: list[int],
    problem: str,
) -> None:
    edit({"data": {"dataset": "digits"}, "split": {"new_classes": classes}})
    assert main(["download"]) == 0
    assert main(["split"]) == 2
    expected = f"split: params.yaml: split.new_classes is {classes}: {problem}; accepted are some"
    assert capsys.readouterr().err.startswith(expected)
    assert not Path("data/split").exists()


def sample() -> Labelled:
    labels = np.repeat([0, 1, 2], [50, 30, 5])
    return Labelled(np.arange(85)[:, None], labels, ["a", "b", "c"], [2])


@pytest.mark.parametrize(("count", "expected"), [(None, [50, 30, 5]), (20, [20, 20, 5])])
def test_few_of_each_class(count: int | None, expected: list[int]) -> None:
    chosen = sample().few(count, seed=1)
    assert np.bincount(chosen.labels).tolist() == expected
    assert len(np.unique(chosen.inputs)) == len(chosen.inputs)
    assert (sample().labels[chosen.inputs[:, 0]] == chosen.labels).all()
    again, other = (sample().few(count, seed=seed).inputs for seed in (1, 2))
    assert np.array_equal(again, chosen.inputs)
    assert np.array_equal(other, chosen.inputs) == (count is None)


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
