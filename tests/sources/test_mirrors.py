"""Files from mirrors, whatever these answer."""

import gzip
import hashlib
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from pipeline.core.errors import InputError
from pipeline.sources import mirrors
from pipeline.sources.mirrors import Pinned

NAME = "images"
CONTENT = b"some content" * 1000
PINNED = Pinned(hashlib.sha256(CONTENT).hexdigest(), len(CONTENT))


def fetch(*where: str) -> bytes:
    return mirrors.fetch(NAME, PINNED, where)


def fill(folder: Path, compress: bool, change: Callable[[bytes], bytes] = bytes) -> str:
    folder.mkdir(exist_ok=True)
    content = gzip.compress(CONTENT) if compress else CONTENT
    (folder / (f"{NAME}.gz" if compress else NAME)).write_bytes(change(content))
    return str(folder)


@contextmanager
def serving(handler: Callable[..., BaseHTTPRequestHandler]) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as http:
        threading.Thread(target=http.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{http.server_port}/"
        http.shutdown()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """A mirror that serves the folder `served`."""
    (tmp_path / "served").mkdir()
    with serving(partial(SimpleHTTPRequestHandler, directory=str(tmp_path / "served"))) as address:
        yield address


class Endless(BaseHTTPRequestHandler):
    """Sends parts of an answer for as long as someone listens."""

    part, pause = bytes(1 << 16), 0.0

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        with suppress(OSError):
            while True:
                self.wfile.write(self.part)
                time.sleep(self.pause)

    def log_message(self, *_: Any) -> None: ...


class Slow(Endless):
    part, pause = b"x", 0.02


@pytest.mark.parametrize("compress", [True, False])
@pytest.mark.parametrize("scheme", ["", "file://"])
def test_directory(tmp_path: Path, compress: bool, scheme: str) -> None:
    assert fetch(scheme + fill(tmp_path / "m", compress)) == CONTENT


def test_file_url_is_unquoted(tmp_path: Path) -> None:
    fill(tmp_path / "ein Ort", compress=False)
    assert fetch((tmp_path / "ein Ort").as_uri()) == CONTENT


def test_url(tmp_path: Path, server: str) -> None:
    fill(tmp_path / "served", compress=True)
    assert fetch("nowhere", server) == CONTENT


@pytest.mark.parametrize(
    "damage", [lambda b: b[:50], lambda b: b[:-3] + b"abc", lambda b: b"x" * 90, lambda b: b""]
)
def test_damaged_file_falls_through_to_the_next_mirror(
    tmp_path: Path, server: str, damage: Callable[[bytes], bytes]
) -> None:
    fill(tmp_path / "served", True, damage)
    packed, plain = (fill(tmp_path / str(packed), packed, damage) for packed in (True, False))
    assert fetch(packed, plain, server, fill(tmp_path / "whole", True)) == CONTENT


def test_no_mirror_names_each_and_the_way_out(tmp_path: Path, server: str) -> None:
    wrong = fill(tmp_path / "wrong", False, bytes.upper)
    with pytest.raises(InputError) as error:
        fetch("nowhere", wrong, server)
    message = str(error.value)
    assert "\n" not in message
    assert "nowhere: no such directory" in message
    assert f"{wrong}: wrong content (SHA-256 " in message
    assert f"{server}: 404" in message
    assert message.endswith("dvc exp run -S data.source=digits")


def test_relative_directory_is_found_from_a_copy_inside_the_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path / "mirror", True)
    inner = tmp_path / "project/.dvc/tmp/exps/standalone/copy"
    (inner / ".dvc").mkdir(parents=True)
    monkeypatch.chdir(inner)
    assert fetch("../mirror") == CONTENT


def test_no_more_is_unpacked_than_there_must_be(tmp_path: Path, server: str) -> None:
    bomb = gzip.compress(bytes(1 << 24))
    for folder in ("served", "local"):
        fill(tmp_path / folder, True, lambda _: bomb)
    for mirror in (server, str(tmp_path / "local")):
        tracemalloc.start()
        with pytest.raises(InputError, match="more than the 12,000 bytes"):
            fetch(mirror)
        assert tracemalloc.get_traced_memory()[1] < 1 << 22
        tracemalloc.stop()


def test_endless_answer_is_left() -> None:
    with serving(Endless) as address, pytest.raises(InputError, match="more than the 22,000 bytes"):
        fetch(address)


def test_slow_answer_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mirrors, "PATIENCE", 0.3)
    start = time.monotonic()
    with serving(Slow) as address, pytest.raises(InputError, match="slower than 20 kB a second"):
        fetch(address)
    assert time.monotonic() - start < 5


def test_silent_answer_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    class Silent(Slow):
        pause = 2.0

    monkeypatch.setattr(mirrors, "PATIENCE", 0.3)
    start = time.monotonic()
    with serving(Silent) as address, pytest.raises(InputError, match="timed out"):
        fetch(address)
    assert time.monotonic() - start < 5


def test_answer_shorter_than_announced_is_refused() -> None:
    class Short(Endless):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(bytes(10))

    with serving(Short) as address, pytest.raises(InputError, match=f"{address}: .*10"):
        fetch(address)
