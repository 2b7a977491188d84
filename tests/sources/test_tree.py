"""Pictures in folders: what is found, in which order, and what is refused."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.core.errors import InputError
from pipeline.sources import tree
from pipeline.sources.decoding import Picture
from tests.sources.made import noise, photos, save


def arranged(root: Path) -> tree.Tree:
    return tree.arranged(*tree.pictures(root), "photos")


def names(found: tree.Tree) -> list[str]:
    return [picture.name for picture in found.pictures]


def test_one_folder_a_class(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    photos(tmp_path, {"zebra": 3, "Ähre 大": 3, "thumbs up": 4})
    save(tmp_path / "zebra/deeper/IMG 1.JPG", noise(99))
    found = arranged(tmp_path)
    assert found.classes == ["thumbs up", "zebra", "Ähre 大"]
    assert found.labels.tolist() == [0] * 4 + [1] * 4 + [2] * 3
    assert names(found)[4:8] == [
        *(f"zebra/{number}.png" for number in range(3)),
        "zebra/deeper/IMG 1.JPG",
    ]
    assert found.tests is None
    assert capsys.readouterr().err == ""


def test_official_parts(tmp_path: Path) -> None:
    photos(tmp_path / "train", {"b": 2, "a": 3})
    photos(tmp_path / "test", {"a": 1, "b": 1})
    found = arranged(tmp_path)
    assert names(found)[-2:] == ["test/a/0.png", "test/b/0.png"]
    assert found.labels.tolist() == [0, 0, 0, 1, 1, 0, 1]
    assert (found.classes, found.tests) == (["a", "b"], 2)


def test_numbers_are_in_numeric_order(tmp_path: Path) -> None:
    photos(tmp_path, {str(number): 3 for number in (10, 9, 0)})
    assert arranged(tmp_path).classes == ["0", "9", "10"]


def test_classes_named_train_and_test(tmp_path: Path) -> None:
    photos(tmp_path, {"test": 3, "train": 3})
    assert arranged(tmp_path).classes == ["test", "train"]


def test_what_is_no_picture_is_passed_over(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photos(tmp_path, {"a": 3, "b": 3, ".hidden": 3, "__MACOSX": 3})
    for known in ("README.md", ".DS_Store", "a/Thumbs.db", "a/.1.jpg", "b/desktop.ini"):
        (tmp_path / known).write_text("")
    assert len(arranged(tmp_path).pictures) == 6
    assert capsys.readouterr().err == ""
    for other in ("labels.csv", "a/notes.docx", "b/1.heic", "b/2.heic", "b/3.heic", "b/4.heic"):
        (tmp_path / other).write_text("")
    assert len(arranged(tmp_path).pictures) == 6
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "6 passed over" in said
    assert said.endswith("labels.csv, a/notes.docx, b/1.heic, b/2.heic, b/3.heic, and 1 more\n")


@pytest.mark.parametrize("ending", ["jpg", "JPEG", "Png", "bmp", "webp", "tif", "TIFF", "gif"])
def test_endings_in_any_case(tmp_path: Path, ending: str) -> None:
    photos(tmp_path, {"a": 3, "b": 3})
    (tmp_path / "a/0.png").rename(tmp_path / f"a/0.{ending}")
    assert f"a/0.{ending}" in names(arranged(tmp_path))


def test_accents_are_the_same_however_they_are_written(tmp_path: Path) -> None:
    photos(tmp_path, {"Bu\u0308ro": 3, "a": 3})
    assert arranged(tmp_path).classes == ["B\u00fcro", "a"]
    photos(tmp_path, {"B\u00fcro": 3})
    with pytest.raises(InputError, match="photos: two folders are named B\u00fcro"):
        arranged(tmp_path)


def test_link_that_stays_inside_is_followed(tmp_path: Path) -> None:
    photos(tmp_path, {"a": 3, "b": 3})
    (tmp_path / "a/link.png").symlink_to("0.png")
    assert "a/link.png" in names(arranged(tmp_path))


def outside(root: Path) -> None:
    save(root.parent / "elsewhere/0.png", noise(0))


def link_to_file(root: Path) -> None:
    outside(root)
    (root / "a/link.png").symlink_to(root.parent / "elsewhere/0.png")


def link_to_folder(root: Path) -> None:
    outside(root)
    (root / "c").symlink_to(root.parent / "elsewhere")


def broken_link(root: Path) -> None:
    (root / "a/link.png").symlink_to("nothing.png")


def link_upwards(root: Path) -> None:
    (root / "a/again").symlink_to("..")


def no_text(root: Path) -> None:
    Path(os.fsdecode(os.fsencode(root / "a") + b"/\xff\xfe.png")).write_bytes(b"")


def no_text_class(root: Path) -> None:
    save(root / "c" / "0.png", noise(0))
    (root / "c").rename(os.fsdecode(os.fsencode(root) + b"/cl\xe4ss"))


def line_break(root: Path) -> None:
    (root / "a/0.png").rename(root / "a/0\n.png")


def empty_class(root: Path) -> None:
    (root / "c").mkdir()


def scarce(root: Path) -> None:
    (root / "a/0.png").unlink()


def six_empty_ones(root: Path) -> None:
    for name in "cdefgh":
        (root / name).mkdir()


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (link_to_file, r"^a/link\.png: a link that leaves the folder$"),
        (link_to_folder, r"^c: a link that leaves the folder$"),
        (broken_link, r"^a/link\.png: a link to nothing$"),
        (link_upwards, r"^a/again: a link to a folder that it is in$"),
        (no_text, r"^a/\\udcff\\udcfe\.png: a name that is no valid text$"),
        (no_text_class, r"^cl\\udce4ss: a name that is no valid text$"),
        (line_break, r"^a/0\\n\.png: a name that is no valid text$"),
        (empty_class, "^c: no picture in it$"),
        (six_empty_ones, "^c: no picture in it; .*; g: no picture in it; and 1 more$"),
        (scarce, "^photos: class a has 2 pictures, at least 3 needed"),
    ],
)
def test_bad_folder_is_refused_in_a_line(
    tmp_path: Path, change: Callable[[Path], None], problem: str
) -> None:
    root = photos(tmp_path / "photos", {"a": 3, "b": 3})
    change(root)
    with pytest.raises(InputError, match=problem) as error:
        arranged(root)
    assert str(error.value).isprintable()


@pytest.mark.parametrize(
    ("folders", "problem"),
    [
        ({}, "photos: no class"),
        ({"train/a": 3, "train/b": 3, "val/a": 3, "val/b": 3}, "parts must be named train and"),
        ({"Train/a": 3, "Train/b": 3, "Test/a": 3}, "parts must be named train and test"),
        (
            {"train/a": 2, "train/b": 2, "test/a": 1},
            "class b has 0 pictures, at least 1 .* in test",
        ),
        (
            {"train/a": 2, "train/b": 1, "test/a": 1, "test/b": 1},
            "class b has 1 picture, at least 2 .* in train",
        ),
        ({"train/a": 2, "train/b": 2, "test": 3}, "test: no folder of a class"),
    ],
)
def test_too_little_is_refused(tmp_path: Path, folders: dict[str, int], problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        arranged(photos(tmp_path, folders))


def test_class_may_be_in_the_test_part_alone(tmp_path: Path) -> None:
    found = arranged(photos(tmp_path / "photos", {"train/a": 2, "test/a": 1, "test/b": 1}))
    assert found.classes == ["a", "b"]
    assert found.labels.tolist() == [0, 0, 0, 1]


def test_folder_that_can_not_be_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="gone: cannot be read: No such file"):
        tree.pictures(tmp_path / "gone")


def test_pictures_of_an_archive_are_in_the_same_order() -> None:
    found = [Picture(f"{name}/{i}.jpg", "x.tar", 0, 1) for name in ("b", "a") for i in (2, 0, 1)]
    assert names(tree.arranged(found, False, "x"))[:3] == ["a/0.jpg", "a/1.jpg", "a/2.jpg"]
