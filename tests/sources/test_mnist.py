"""MNIST's files, as labelled images."""

import hashlib
from collections.abc import Callable
from math import prod
from pathlib import Path

import numpy as np
import pytest

from pipeline.core.errors import InputError
from pipeline.sources import mnist
from pipeline.sources.mirrors import Pinned

SHAPES = {"train": (20, 28, 28), "t10k": (10, 28, 28)}
LABELS = {part: np.arange(shape[0]) % 10 for part, shape in SHAPES.items()}


def idx(array: np.ndarray) -> bytes:
    header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    return header + array.astype(np.uint8).tobytes()


def files() -> dict[str, bytes]:
    found = {}
    for part, shape in SHAPES.items():
        found[f"{part}-images-idx3-ubyte"] = idx(np.arange(prod(shape)).reshape(shape) % 256)
        found[f"{part}-labels-idx1-ubyte"] = idx(LABELS[part])
    return found


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, bytes]], None]:
    """Puts files in place of MNIST's."""

    def fill(content: dict[str, bytes]) -> None:
        for name, data in content.items():
            (tmp_path / name).write_bytes(data)
            pinned = Pinned(hashlib.sha256(data).hexdigest(), len(data))
            monkeypatch.setitem(mnist.FILES, name, pinned)
        monkeypatch.setattr(mnist, "MIRRORS", [str(tmp_path)])

    return fill


def test_sizes_that_are_pinned_are_those_of_the_published_images() -> None:
    sizes = [pinned.size for pinned in mnist.FILES.values()]
    assert sizes == [16 + 60_000 * 28 * 28, 8 + 60_000, 16 + 10_000 * 28 * 28, 8 + 10_000]


def test_images_and_labels(mirror: Callable[[dict[str, bytes]], None]) -> None:
    mirror(files())
    for part, data in zip(SHAPES, mnist.load(), strict=True):
        assert data.inputs.shape == (len(LABELS[part]), 1, 28, 28)
        assert data.inputs.dtype == np.uint8
        assert data.inputs.flat[:300].tolist() == [n % 256 for n in range(300)]
        assert data.labels.tolist() == LABELS[part].tolist()
        assert data.classes == list("0123456789")
        assert data.new == []


@pytest.mark.parametrize("damage", [lambda b: b[:-1], lambda b: b"\0" + b, lambda b: b[:5]])
def test_file_that_is_not_idx_is_refused(
    mirror: Callable[[dict[str, bytes]], None], damage: Callable[[bytes], bytes]
) -> None:
    name = "t10k-images-idx3-ubyte"
    mirror(files() | {name: damage(files()[name])})
    with pytest.raises(InputError, match=f"{name}: "):
        mnist.load()


def test_images_without_labels_are_refused(mirror: Callable[[dict[str, bytes]], None]) -> None:
    mirror(files() | {"train-labels-idx1-ubyte": idx(np.arange(19) % 10)})
    with pytest.raises(InputError, match="train: 20 images, but 19 labels"):
        mnist.load()
