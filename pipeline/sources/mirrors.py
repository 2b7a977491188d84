"""Files from the first of several mirrors that has them, as they are pinned."""

import hashlib
import time
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

from tqdm import tqdm

from pipeline.core.errors import InputError

CHUNK = 1 << 16
PATIENCE = 20.0
"""Seconds after which a mirror must have kept up with the slowest speed that is waited for."""
SLOWEST = 20_000.0
"""Bytes a second."""


class Pinned(NamedTuple):
    """What a file must be: the SHA-256 of its content, and its size in bytes."""

    sha256: str
    size: int


def fetch(name: str, pinned: Pinned, mirrors: Sequence[str]) -> bytes:
    """The content of a file, from a folder (as it is, or as `.gz`) or an address (as `.gz`).

    No mirror makes this read more than the size that the file must have.

    Raises:
        InputError: if no mirror has it with the right content; each is named with its reason.
    """
    problems = []
    for mirror in mirrors:
        try:
            content = _from_mirror(name, mirror, pinned.size)
        except (OSError, EOFError, ValueError, zlib.error) as error:
            problems.append(f"{mirror}: {_reason(error)}")
            continue
        found = hashlib.sha256(content).hexdigest()
        if found == pinned.sha256:
            return content
        problems.append(
            f"{mirror}: wrong content (SHA-256 {found[:12]}…, not {pinned.sha256[:12]}…)"
        )
    raise InputError(
        f"no mirror has {name}: {'; '.join(problems)}; to do without: "
        "dvc exp run -S data.source=digits"
    )


def folders(mirror: str) -> list[Path]:
    """Where a folder may be: DVC runs queued experiments in copies inside the repository."""
    current = Path.cwd()
    roots = [current, *(folder for folder in current.parents if (folder / ".dvc").is_dir())]
    return [root / Path(mirror).expanduser() for root in roots]


def download(url: str, largest: int) -> bytes:
    """The content of an address.

    Raises:
        OSError: if it can't be had, is larger than allowed, or comes too slowly.
    """
    import requests  # only where a mirror is a URL

    session = requests.Session()
    retry = requests.adapters.Retry(3, backoff_factor=0.5, status_forcelist=[429, 500, 502, 503])
    session.mount("http", requests.adapters.HTTPAdapter(max_retries=retry))
    with session.get(url, stream=True, timeout=(5, PATIENCE)) as response:
        response.raise_for_status()
        size = int(response.headers.get("Content-Length", 0)) or None
        with tqdm(total=size, unit="B", unit_scale=True, desc=url, disable=None) as progress:
            content = bytearray()
            start = time.monotonic()
            # Not `iter_content`, which waits for a whole chunk, however slowly it comes.
            for part in iter(lambda: _read(response.raw), b""):
                content += part
                progress.update(len(part))
                if len(content) > largest:
                    raise OSError(f"more than the {largest:,} bytes that it must have")
                taken = time.monotonic() - start
                if taken > PATIENCE and len(content) < SLOWEST * taken:
                    raise OSError(f"slower than {SLOWEST / 1000:.0f} kB a second")
    if size and len(content) < size:
        raise OSError(f"{len(content):,} bytes, but {size:,} announced")
    return bytes(content)


def _read(answer: Any) -> bytes:
    """What has come of an answer: at least a byte, unless it has ended."""
    from urllib3.exceptions import HTTPError

    try:
        return bytes(answer.read1(CHUNK))
    except HTTPError as error:
        raise OSError(str(error)) from None


def _from_mirror(name: str, mirror: str, size: int) -> bytes:
    if mirror.startswith(("http://", "https://")):
        # What is compressed may be a little larger than what isn't, but never by much.
        return _unpacked([download(f"{mirror.rstrip('/')}/{name}.gz", size + 10_000)], size)
    if mirror.startswith("file:"):
        mirror = unquote(urlsplit(mirror).path)
    for folder in folders(mirror):
        if (folder / name).is_file():
            if (found := (folder / name).stat().st_size) != size:
                raise OSError(f"{found:,} bytes, not {size:,}")
            return (folder / name).read_bytes()
        if (folder / f"{name}.gz").is_file():
            with (folder / f"{name}.gz").open("rb") as file:
                return _unpacked(iter(lambda: file.read(CHUNK), b""), size)
    raise FileNotFoundError("no such directory, or the file isn't in it")


def _unpacked(parts: Iterable[bytes], size: int) -> bytes:
    """Unpacks gzip, and stops where it has more than it must have."""
    unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    content = bytearray()
    for part in parts:
        content += unpacker.decompress(part, size + 1 - len(content))
        if len(content) > size:
            raise OSError(f"unpacks to more than the {size:,} bytes that it must have")
    if not unpacker.eof:
        raise EOFError("the compressed file is cut short")
    return bytes(content)


def _reason(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text if len(text) <= 160 else f"{text[:157]}..."
