"""Folders of pictures, decoded, parted and saved."""

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.core.errors import InputError
from pipeline.sources import pictures
from tests.sources.made import left, noise, photos, save, written


def test_share_of_every_class_is_held_out(tmp_path: Path) -> None:
    root = photos(tmp_path / "Fotos für mich", {"cat": 8, "thumbs up": 12})
    train, test = written(tmp_path / "out", path=str(root))
    assert train.classes == test.classes == ["cat", "thumbs up"]
    assert np.bincount(train.labels).tolist() == [6, 9]
    assert np.bincount(test.labels).tolist() == [2, 3]
    expected = {
        pictures.read(file, 8, 3, "crop").tobytes(): file.parent.name
        for file in root.rglob("*.png")
    }
    found = {
        image.tobytes(): part.classes[label]
        for part in (train, test)
        for image, label in zip(part.inputs, part.labels, strict=True)
    }
    assert found == expected
    assert {Path(file).name for file in left(tmp_path / "out")} == {
        "inputs.npy", "labels.npy", "about.json"
    }  # fmt: skip


def test_seed_chooses_what_is_held_out(tmp_path: Path) -> None:
    root = photos(tmp_path / "photos", {"a": 12, "b": 12})
    parts = {
        written(tmp_path / "out", path=str(root), seed=seed)[1].inputs.tobytes()
        for seed in (0, 0, 1)
    }
    assert len(parts) == 2


def test_official_part_stays_as_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    photos(tmp_path / "photos/train", {"a": 5, "b": 5})
    photos(tmp_path / "photos/test", {"a": 2})  # the first two of the training part
    photos(tmp_path / "photos/test", {"b": 2}, start=100)
    train, test = written(tmp_path / "out", path=str(tmp_path / "photos"))
    assert (len(train.labels), len(test.labels)) == (10, 4)
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "2 copies of a picture: 2 of the test part are in the training part too" in said


def copied(root: Path) -> None:
    for name in ("a", "b"):
        for number in range(6):
            content = (root / name / f"{number}.png").read_bytes()
            (root / name / f"copy of {number}.png").write_bytes(content)


def test_copies_are_on_one_side_and_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = photos(tmp_path / "photos", {"a": 12, "b": 12})
    copied(root)
    for seed in range(4):
        train, test = written(tmp_path / "out", path=str(root), seed=seed)
        seen = {image.tobytes() for image in train.inputs}
        assert not seen & {image.tobytes() for image in test.inputs}
        assert len(train.labels) + len(test.labels) == 36
        said = capsys.readouterr().err
        assert said == "12 copies of a picture: copies are on the same side of the split\n"


def test_same_picture_in_two_classes_is_refused(tmp_path: Path) -> None:
    root = photos(tmp_path / "photos", {"a": 4, "b": 4})
    Image.open(root / "a/1.png").save(root / "b/other.bmp")
    with pytest.raises(
        InputError, match=r"^a/1\.png and b/other\.bmp are the same picture in two classes$"
    ):
        written(tmp_path / "out", path=str(root))
    assert left(tmp_path / "out") == []


def test_bad_pictures_are_all_named_and_nothing_is_left(tmp_path: Path) -> None:
    root = photos(tmp_path / "photos", {"a": 9, "b": 9})
    for number in range(7):
        file = root / f"a/{number}.png"
        file.write_bytes(file.read_bytes()[: 10 * number])
    with pytest.raises(InputError) as error:
        written(tmp_path / "out", path=str(root))
    message = str(error.value)
    assert message.isprintable()
    assert re.findall(r"a/(\d)\.png: ", message) == list("01234")
    assert message.endswith("; and 2 more")
    assert left(tmp_path / "out") == []


@pytest.mark.parametrize(("side", "size"), [(20, 32), (47, 32), (48, 64), (300, 64)])
def test_size_suits_the_pictures(tmp_path: Path, side: int, size: int) -> None:
    for number in range(6):
        save(tmp_path / f"photos/{number % 2}/{number}.png", noise(number, side, side + 9))
    save(tmp_path / "photos/0/large.png", noise(9, 400, 400))
    train, _ = written(tmp_path / "out", path=str(tmp_path / "photos"), size="auto")
    assert train.inputs.shape[1:] == (3, size, size)
    assert train.advice["augmentation"]["translation"] == size / 16


def test_channels_suit_the_pictures(tmp_path: Path) -> None:
    for number in range(6):
        save(tmp_path / f"photos/{number % 2}/{number}.png", noise(number)[..., 0])
    path = str(tmp_path / "photos")
    train, _ = written(tmp_path / "out", path=path, channels="auto")
    assert train.inputs.shape[1:] == (1, 8, 8)
    save(tmp_path / "photos/0/coloured.png", noise(9))
    train, _ = written(tmp_path / "out", path=path, channels="auto")
    assert train.inputs.shape[1:] == (3, 8, 8)
    train, _ = written(tmp_path / "out", path=path, channels=1)
    assert train.inputs.shape[1:] == (1, 8, 8)


def test_folder_that_git_ignores_is_empty_in_an_experiments_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / ".dvc/tmp/exps/standalone/tmpabc"
    (copy / "data/own").mkdir(parents=True)
    (copy / "data/own/README.md").write_text("put pictures here")
    monkeypatch.chdir(copy)
    with pytest.raises(InputError, match=r"data/own: no class; this copy .* write the whole path"):
        written(tmp_path / "out", path="data/own")


def test_folder_that_is_no_folder_of_classes(tmp_path: Path) -> None:
    file = save(tmp_path / "photos/0.png", noise(0))
    with pytest.raises(InputError, match=r"data\.path is .*0\.png, a file; a folder accepted"):
        written(tmp_path / "out", path=str(file))
    with pytest.raises(InputError, match="photos: no class; put one folder of pictures a class"):
        written(tmp_path / "out", path=str(file.parent))
    with pytest.raises(InputError, match=r"data\.path is .*gone: no such file or folder"):
        written(tmp_path / "out", path=str(tmp_path / "gone"))
