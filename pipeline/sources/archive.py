"""Pictures in an archive, from the first mirror that has it with the content it must have.

Nothing is unpacked under a name that an archive gives: pictures are read from where they are in it.
"""

import gzip
import hashlib
import io
import tarfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from pipeline.core.errors import InputError
from pipeline.sources import folder as pictures_in_folders
from pipeline.sources.data import Data
from pipeline.sources.decoding import Form, Picture
from pipeline.sources.mirrors import CHUNK, download, folders
from pipeline.sources.pictures import EXTENSIONS


class Mirror(NamedTuple):
    """A place that has an archive.

    Attributes:
        where: a folder with the file, or the address of a file.
        inside: the folder in the archive that holds the classes.
    """

    where: str
    inside: str = ""


class Archive(NamedTuple):
    """A published set of pictures.

    Attributes:
        file: the name of the archive, in a folder.
        content: SHA-256 over a line for each picture: its own, two blanks, its path.
        largest: bytes that the archive may have when it is no longer compressed.
        official: whether it has parts `train` and `test`.
        size: pixels a side that `auto` means.
        channels: that `auto` means.
        advice: what suits the pictures, where a parameter is `auto`.
        licence: of the pictures.
        mirrors: in the order in which they are asked.
    """

    file: str
    content: str
    largest: int
    official: bool
    size: int
    channels: int
    advice: Mapping[str, Any]
    licence: str
    mirrors: tuple[Mirror, ...]


def github(repository: str, commit: str, inside: str = "") -> Mirror:
    """The public address of a commit, whose archive has one folder on top."""
    top = f"{repository.split('/')[1]}-{commit}"
    address = f"https://github.com/{repository}/archive/{commit}.tar.gz"
    return Mirror(address, f"{top}/{inside}")


def write(archive: Archive, data: Data, folder: Path) -> None:
    """Decodes the pictures of an archive, and saves the parts `train` and `test`.

    Raises:
        InputError: if no mirror has it with the right content.
    """
    size = archive.size if data.size == "auto" else data.size
    channels = archive.channels if data.channels == "auto" else data.channels
    form = Form(size, channels, data.fit)
    with opened(archive) as found:
        pictures_in_folders.save(
            found,
            archive.official,
            data.source,
            form,
            archive.advice,
            data,
            folder,
            strict=False,
        )


@contextmanager
def opened(archive: Archive) -> Iterator[list[Picture]]:
    """Yields the pictures of an archive, which are there until the context ends.

    Raises:
        InputError: if no mirror has it with the right content; each is named with its reason.
    """
    problems = []
    with TemporaryDirectory(prefix="retain-") as folder:
        tar = Path(folder) / "archive.tar"
        for mirror in archive.mirrors:
            try:
                _uncompress(mirror.where, archive, tar)
                pictures = members(tar, mirror.inside)
                if (found := content(pictures)) == archive.content:
                    break
                problem = f"wrong content (SHA-256 {found[:12]}…, not {archive.content[:12]}…)"
            except (OSError, EOFError, ValueError, zlib.error, tarfile.TarError) as error:
                problem = " ".join(str(error).split())[:160]
            problems.append(f"{mirror.where}: {problem}")
        else:
            raise InputError(
                f"no mirror has {archive.file}: {'; '.join(problems)}; to do without: "
                "dvc exp run -S data.source=digits"
            )
        yield pictures


def members(tar: Path, inside: str) -> list[Picture]:
    """The pictures in a folder of an archive, as parts of its file.

    Raises:
        ValueError: if a name leads out of the archive, or something is no file and no folder.
        tarfile.TarError: if it is no archive.
    """
    top = PurePosixPath(inside).parts
    found = []
    with tarfile.open(tar, "r:") as archive:
        for member in archive:
            path = PurePosixPath(member.name)
            if path.is_absolute() or ".." in path.parts:
                raise ValueError(f"{member.name} leads out of the archive")
            if member.isdir():
                continue
            if member.type not in (tarfile.REGTYPE, tarfile.AREGTYPE):
                raise ValueError(f"{member.name} is a link, or no file")
            if path.parts[: len(top)] == top and path.suffix.lower() in EXTENSIONS:
                name = "/".join(path.parts[len(top) :])
                found.append(Picture(name, str(tar), member.offset_data, member.size))
    return found


def content(pictures: list[Picture]) -> str:
    """The SHA-256 of pictures: over a line for each, ordered by their paths as bytes."""
    whole = hashlib.sha256()
    for picture in sorted(pictures, key=lambda picture: picture.name.encode(errors="replace")):
        own = picture.content()
        assert isinstance(own, bytes)
        line = f"{hashlib.sha256(own).hexdigest()}  {picture.name}\n"
        whole.update(line.encode(errors="replace"))
    return whole.hexdigest()


def _uncompress(where: str, archive: Archive, tar: Path) -> None:
    """Writes an archive of a mirror, no longer compressed, to a file."""
    if where.startswith(("http://", "https://")):
        packed: Path | io.BytesIO = io.BytesIO(download(where, archive.largest))
    else:
        files = (folder / archive.file for folder in folders(where))
        if (local := next((file for file in files if file.is_file()), None)) is None:
            raise FileNotFoundError("no such directory, or the file isn't in it")
        packed = local
    size = 0
    with gzip.open(packed) as source, tar.open("wb") as file:
        while part := source.read(CHUNK):
            size += len(part)
            if size > archive.largest:
                raise OSError(
                    f"unpacks to more than the {archive.largest:,} bytes that it may have"
                )
            file.write(part)
