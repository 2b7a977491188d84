"""Pictures decoded side by side."""

import os
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from pipeline.core.errors import InputError
from pipeline.sources import decoding
from pipeline.sources.decoding import Form, Picture
from tests.sources.made import noise, save

FORM = Form(8, 3, "crop")


def some(folder: Path, count: int, side: int = 12) -> list[Picture]:
    """Many places of a few pictures."""
    files = [save(folder / f"{number}.png", noise(number, side, side)) for number in range(7)]
    return [Picture(f"a/{place}.png", str(files[place % 7])) for place in range(count)]


def test_order_is_the_same_in_one_process_and_in_several(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = some(tmp_path, 650)
    results = []
    for workers in ("1", "3"):
        monkeypatch.setenv("RETAIN_WORKERS", workers)
        results.append(np.concatenate(list(decoding.decoded(found, FORM))))
        assert len(decoding.headers(found)) == 650
    assert np.array_equal(results[0], results[1])
    assert np.array_equal(results[0][:7], results[0][91 * 7 :][:7])


def test_part_of_a_file_is_a_picture_too(tmp_path: Path) -> None:
    [whole] = some(tmp_path, 1)
    content = Path(whole.file).read_bytes()
    (tmp_path / "both").write_bytes(b"before" + content + b"after")
    part = Picture("a/0.png", str(tmp_path / "both"), 6, len(content))
    [one], [other] = decoding.decoded([whole], FORM), decoding.decoded([part], FORM)
    assert np.array_equal(one, other)


def test_problems_of_several_processes_come_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RETAIN_WORKERS", "2")
    found = some(tmp_path, 650)
    for place in (600, 70, 3):
        found[place] = Picture(f"a/{place}.png", str(tmp_path / "gone"))
    with pytest.raises(InputError, match=r"^a/3\.png: .*; a/70\.png: .*; a/600\.png: [^;]*$"):
        list(decoding.decoded(found, FORM))


def test_memory_does_not_grow_with_the_number_of_pictures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RETAIN_WORKERS", "1")
    peaks = []
    for count in (300, 1200):
        found = some(tmp_path, count)
        tracemalloc.start()
        for _ in decoding.decoded(found, Form(64, 3, "crop")):
            pass
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.1 * peaks[0]


def test_killed_worker_is_said_in_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETAIN_WORKERS", "2")
    monkeypatch.setattr(decoding, "_decode", _die)
    with pytest.raises(InputError, match="was ended from outside"):
        list(decoding.decoded(some(tmp_path, 650), FORM))


def _die(*_: object) -> None:
    os._exit(1)
