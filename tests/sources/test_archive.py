"""Archives of pictures, as they are packed here and by GitHub, and as they shouldn't be."""

import io
import tarfile
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from pipeline.core.errors import InputError
from pipeline.sources import archive, cifar10, sign_language
from pipeline.sources.archive import Archive, Mirror
from pipeline.sources.decoding import Picture
from tests.sources.made import data, noise, photos, save

TOP = "Signs-4b09/Dataset"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A folder, and the address at which it is to be had."""
    folder = tmp_path / "served"
    folder.mkdir()
    handler = partial(SimpleHTTPRequestHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as http:
        threading.Thread(target=http.serve_forever, daemon=True).start()
        yield folder, f"http://127.0.0.1:{http.server_port}"
        http.shutdown()


def pack(file: Path, content: Path, top: str = "./") -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(file, "w:gz") as tar:
        tar.add(content, top)
    return file


def described(root: Path, *mirrors: Mirror, largest: int = 1 << 20) -> Archive:
    pictures = []
    for file in root.rglob("*.png"):
        name = file.relative_to(root).as_posix()
        pictures.append(Picture(name, str(file), 0, file.stat().st_size))
    advice = {"trunk": "residual"}
    return Archive(
        "signs.tar.gz", archive.content(pictures), largest, False, 16, 3, advice, "free", mirrors
    )


def test_folder_of_classes(tmp_path: Path) -> None:
    root = photos(tmp_path / "photos", {"zero": 8, "one": 8})
    pack(tmp_path / "mirror/signs.tar.gz", root)
    signs = described(root, Mirror("nowhere"), Mirror(str(tmp_path / "mirror")))
    archive.write(signs, data(source="sign_language", size="auto", channels="auto"), tmp_path)
    for part, count in (("train", 12), ("test", 4)):
        assert np.load(tmp_path / part / "inputs.npy").shape == (count, 3, 16, 16)


def test_layout_of_github(tmp_path: Path, served: tuple[Path, str]) -> None:
    folder, address = served
    root = photos(tmp_path / "photos", {"zero": 4, "one": 4})
    whole = tmp_path / "whole"
    whole.mkdir()
    save(whole / "Examples/0.png", noise(0))
    (whole / "LICENSE").write_text("free")
    root.rename(whole / "Dataset")
    pack(folder / "4b09.tar.gz", whole, "Signs-4b09")
    signs = described(whole / "Dataset", Mirror(f"{address}/4b09.tar.gz", TOP))
    with archive.opened(signs) as pictures:
        assert sorted(picture.name for picture in pictures)[0] == "one/0.png"
        assert len(pictures) == 8
        assert all(isinstance(picture.content(), bytes) for picture in pictures)
        file = Path(pictures[0].file)
    assert not file.exists()


def test_pinned_sources_name_a_folder_first_and_then_a_commit() -> None:
    for source in (sign_language, cifar10):
        local, public = source.ARCHIVE.mirrors
        assert local == Mirror("../shared/images")
        assert public.where.startswith("https://github.com/")
        commit = public.where.removesuffix(".tar.gz").rpartition("/")[2]
        assert len(commit) == 40
        assert f"-{commit}/" in public.inside


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    found = tarfile.TarInfo(name)
    found.type, found.linkname = kind, link
    return found


@pytest.mark.parametrize(
    ("bad", "problem"),
    [
        (member("../evil.png"), "../evil.png leads out of the archive"),
        (member("a/../../evil.png"), "leads out of the archive"),
        (member("/tmp/evil.png"), "/tmp/evil.png leads out of the archive"),
        (member("a/9.png", tarfile.SYMTYPE, "/etc/passwd"), "a/9.png is a link, or no file"),
        (member("a/9.png", tarfile.LNKTYPE, "a/0.png"), "a/9.png is a link, or no file"),
        (member("a/9.png", tarfile.FIFOTYPE), "a/9.png is a link, or no file"),
        (member("a/9.png", tarfile.CHRTYPE), "a/9.png is a link, or no file"),
        (member("a/9.png"), "wrong content"),
    ],
    ids=lambda value: value.name if isinstance(value, tarfile.TarInfo) else "",
)
def test_bad_member_is_refused_in_a_line(
    tmp_path: Path, bad: tarfile.TarInfo, problem: str
) -> None:
    root = photos(tmp_path / "photos", {"a": 3, "b": 3})
    (tmp_path / "mirror").mkdir()
    with tarfile.open(tmp_path / "mirror/signs.tar.gz", "w:gz") as tar:
        tar.add(root, "./")
        tar.addfile(bad, io.BytesIO())
    signs = described(root, Mirror(str(tmp_path / "mirror")))
    with pytest.raises(InputError, match=problem) as error, archive.opened(signs):
        pass
    assert "\n" not in str(error.value)
    assert str(error.value).endswith("dvc exp run -S data.source=digits")
    assert not list(tmp_path.rglob("evil.png"))


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "file could not be opened|empty|cut short|no archive|ended|wrong content"),
        (b"no archive at all", "gzip"),
        (None, "ended|cut short"),
    ],
)
def test_damaged_archive_is_named(tmp_path: Path, content: bytes | None, problem: str) -> None:
    root = photos(tmp_path / "photos", {"a": 3, "b": 3})
    file = pack(tmp_path / "mirror/signs.tar.gz", root)
    file.write_bytes(file.read_bytes()[:-500] if content is None else content)
    mirror = str(tmp_path / "mirror")
    with (
        pytest.raises(InputError, match=f"{mirror}: .*({problem})"),
        archive.opened(described(root, Mirror(mirror))),
    ):
        pass


def test_no_more_is_unpacked_than_there_may_be(tmp_path: Path, served: tuple[Path, str]) -> None:
    folder, address = served
    root = photos(tmp_path / "photos", {"a": 3, "b": 3})
    (root / "a/zeros").write_bytes(bytes(1 << 24))
    pack(folder / "signs.tar.gz", root)
    mirrors = Mirror(str(folder)), Mirror(f"{address}/signs.tar.gz")
    with pytest.raises(InputError) as error, archive.opened(described(root, *mirrors)):
        pass
    assert str(error.value).count("unpacks to more than the 1,048,576 bytes") == 2


def test_folder_is_found_from_an_experiments_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = photos(tmp_path / "photos", {"a": 3, "b": 3})
    pack(tmp_path / "shared/images/signs.tar.gz", root)
    inner = tmp_path / "project/.dvc/tmp/exps/standalone/copy"
    (inner / ".dvc").mkdir(parents=True)
    monkeypatch.chdir(inner)
    with archive.opened(described(root, Mirror("../shared/images"))) as pictures:
        assert len(pictures) == 6


def test_same_picture_in_two_classes_of_an_archive_is_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = photos(tmp_path / "photos", {"a": 8, "b": 8})
    (root / "b/9.png").write_bytes((root / "a/0.png").read_bytes())
    pack(tmp_path / "mirror/signs.tar.gz", root)
    signs = described(root, Mirror(str(tmp_path / "mirror")))
    archive.write(signs, data(source="sign_language"), tmp_path)
    said = capsys.readouterr().err
    assert "1 copy of a picture: " in said
    assert "1 have another class than the first" in said
