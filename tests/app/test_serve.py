"""The server of the page, as a real process that real connections talk to."""

import asyncio
import io
import json
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import numpy as np
import pytest
from PIL import Image
from starlette.exceptions import HTTPException
from starlette.types import Message, Receive, Scope, Send

from pipeline.app.models import Answer, Predictor
from pipeline.app.serve import drawing
from pipeline.app.serve.limits import Limits, Queue
from pipeline.app.serve.visitors import Visitors
from pipeline.core.process import cores
from tests.app.conftest import serving
from tests.project import Project

LORA: dict[str, str | float] = {"method": "lora"}


@pytest.fixture
def visitor(address: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=address, timeout=20) as client:
        yield client


@pytest.fixture
def other(address: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=address, timeout=20) as client:
        yield client


@pytest.fixture(scope="session")
def images(pictures: Path) -> list[bytes]:
    """A PNG file of each digit."""
    return [min((pictures / str(label)).iterdir()).read_bytes() for label in range(10)]


def teach(visitor: httpx.Client, images: list[bytes], name: str = "zero") -> httpx.Response:
    for image in images:
        assert visitor.post("/api/teaching/examples", content=image).status_code == 200
    return visitor.post("/api/teaching/class", json={"name": name})


def answers(visitor: httpx.Client, image: bytes, **given: str | float) -> dict[str, Answer]:
    told = visitor.post("/api/answers", params=LORA | given, content=image).json()["answers"]
    return {name: Answer(**answer) for name, answer in told.items() if answer}


def test_answers_are_those_of_the_models(
    run: Project, visitor: httpx.Client, images: list[bytes]
) -> None:
    base, lora = Predictor.load(), Predictor.load("lora")
    for image in images:
        pixels = np.asarray(Image.open(io.BytesIO(image)))[np.newaxis]
        seen = drawing.digit(pixels, 28, drawing.HEIGHTS["digits"])[np.newaxis]
        found = answers(visitor, image)
        half = answers(visitor, image, strength=0.5)["method"]
        for answer, model in (
            (found["base"], base),
            (found["method"], lora),
            (half, lora.at_strength(0.5)),
        ):
            [expected] = model.answers(seen)
            assert (answer.name, answer.known) == (expected.name, expected.known)
            # Other numbers of threads add in another order.
            assert answer.probabilities == pytest.approx(expected.probabilities, abs=1e-5)
    weak = answers(visitor, images[0], strength=0)
    assert weak["method"].probabilities == weak["base"].probabilities


def test_a_class_is_taught_taken_back_and_loaded_again(
    visitor: httpx.Client, other: httpx.Client, images: list[bytes]
) -> None:
    before = [answers(visitor, image) for image in images]
    told = teach(visitor, images[:1] * 3).json()["taught"]
    assert told["figures"]["examples"] == 3
    after = [answers(visitor, image) for image in images]
    assert after[0]["taught"].name == "zero"
    assert [{**each, "taught": None} for each in after] == [
        {**each, "taught": None} for each in before
    ]
    assert answers(other, images[0]) == before[0]  # who has taught nothing

    file = visitor.get("/api/teaching/file")
    assert "zero.safetensors" in file.headers["content-disposition"]
    assert visitor.delete("/api/teaching/class").json()["taught"] is None
    assert [answers(visitor, image) for image in images] == before
    assert other.put("/api/teaching/class", content=file.content).json()["taught"] == told
    assert [answers(other, image) for image in images] == after
    assert other.get("/api/teaching/file").content == file.content


@pytest.mark.slow
def test_a_class_outlives_the_server_in_its_file(
    run: Project, visitor: httpx.Client, images: list[bytes], tmp_path: Path
) -> None:
    teach(visitor, images[:1] * 3)
    before = [answers(visitor, image)["taught"] for image in images]
    file = tmp_path / "zero.safetensors"
    file.write_bytes(visitor.get("/api/teaching/file").content)
    with serving(run.folder) as (_, again), httpx.Client(base_url=again, timeout=20) as later:
        assert later.get("/api/teaching").json()["taught"] is None
        loaded = later.put("/api/teaching/class", content=file.read_bytes())
        assert loaded.json()["taught"]["name"] == "zero"
        assert [answers(later, image)["taught"] for image in images] == before
    (tmp_path / "picture.png").write_bytes(images[0])
    printed = run.pipeline("predict", str(tmp_path / "picture.png"), "--with", str(file), "--json")
    assert json.loads(printed)["taught"]["name"] == "zero"


def test_examples_are_counted_and_taken_out(visitor: httpx.Client, images: list[bytes]) -> None:
    for count in range(1, 11):
        added = visitor.post("/api/teaching/examples", content=images[1]).json()
        assert len(added["examples"]) == count
    assert visitor.post("/api/teaching/examples", content=images[1]).status_code == 409
    assert len(visitor.delete("/api/teaching/examples/3").json()["examples"]) == 9
    assert visitor.delete("/api/teaching/examples/9").status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "content", "code", "said"),
    [
        ("POST", "/api/answers?method=lora", b"no picture", 422, "no picture"),
        ("POST", "/api/answers?method=lora", b"", 422, "no picture"),
        ("POST", "/api/answers?method=lroa", None, 422, "did you mean lora?"),
        ("POST", "/api/answers?method=replay&strength=1", None, 422, "replay has no strength"),
        ("POST", "/api/answers?method=lora&strength=2.1", None, 422, "less than or equal to 2"),
        ("POST", "/api/answers", None, 422, "method"),
        ("POST", "/api/teaching/class", b'{"name": "zero"}', 409, "no example yet"),
        ("POST", "/api/teaching/class", b"{", 422, "json"),
        ("GET", "/api/teaching/file", b"", 404, "no class"),
        ("PUT", "/api/teaching/class", b"no file", 422, "not a safetensors file"),
        ("GET", "/plots/../params.yaml", b"", 404, ""),
        ("GET", "/nothing", b"", 404, ""),
    ],
)
def test_wrong_requests_are_refused_in_a_sentence(
    visitor: httpx.Client,
    images: list[bytes],
    method: str,
    path: str,
    content: bytes | None,
    code: int,
    said: str,
) -> None:
    body = images[1] if content is None else content
    headers = {"content-type": "application/json"} if body.startswith(b"{") else {}
    response = visitor.request(method, path, content=body, headers=headers)
    assert response.status_code == code
    detail = response.json()["detail"]
    assert said in detail
    assert "\n" not in detail


@pytest.mark.parametrize("name", ["", "  ", "5", "x" * 41, "a\tb\0"])
def test_names_that_are_none_or_taken_are_refused(
    visitor: httpx.Client, images: list[bytes], name: str
) -> None:
    assert teach(visitor, images[:1], name).status_code == 422
    assert visitor.get("/api/teaching").json()["taught"] is None


def test_many_at_once_get_the_answers_that_one_gets(
    address: str, visitor: httpx.Client, images: list[bytes]
) -> None:
    strengths = [0.0, 0.3, 0.7, 1.5, 2.0]
    cases = [(image, strength) for image in images for strength in strengths]
    alone = [answers(visitor, image, strength=strength) for image, strength in cases]

    async def crowd() -> list[httpx.Response]:
        async with httpx.AsyncClient(base_url=address, timeout=20) as client:
            asked = (
                client.post("/api/answers", params=LORA | {"strength": strength}, content=image)
                for image, strength in cases
            )
            return await asyncio.gather(*asked)

    for response, expected in zip(asyncio.run(crowd()), alone, strict=True):
        told = response.json()["answers"]
        assert {name: Answer(**told[name]) for name in expected} == expected


def test_a_picture_that_is_huge_when_decoded_is_refused(visitor: httpx.Client) -> None:
    file = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(file, "PNG")
    response = visitor.post("/api/answers", params=LORA, content=file.getvalue())
    assert (response.status_code, "pixels" in response.json()["detail"]) == (422, True)


def test_other_sites_cannot_lead_their_names_here(visitor: httpx.Client) -> None:
    assert visitor.get("/", headers={"host": "example.org"}).status_code == 400
    cookie = visitor.get("/").headers.get("set-cookie", "")
    assert cookie == ""  # nobody is remembered who has done nothing


def test_the_reference_names_all_paths_and_loads_nothing_from_elsewhere(
    visitor: httpx.Client,
) -> None:
    text = visitor.get("/docs").text
    assert all(path in text for path in visitor.get("/openapi.json").json()["paths"])
    assert "//" not in text.replace("<!doctype", "")


def test_slow_half_sent_and_endless_uploads_do_not_hold_up_others(
    address: str, visitor: httpx.Client, images: list[bytes]
) -> None:
    head = "POST /api/answers?method=lora HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    place = (urlsplit(address).hostname, urlsplit(address).port)
    with (
        socket.create_connection(place) as slow,
        socket.create_connection(place) as half,
        socket.create_connection(place) as endless,
    ):
        half.sendall(f"{head}Content-Length: 5000\r\n\r\n".encode() + b"x" * 2500)
        endless.sendall(f"{head}Content-Length: 1000000000\r\n\r\n".encode())
        thread = threading.Thread(target=_send, args=(endless, 1000))
        thread.start()
        taken = []
        for byte in head[:20].encode():
            slow.sendall(bytes([byte]))
            start = time.perf_counter()
            assert answers(visitor, images[3])
            taken.append(time.perf_counter() - start)
        thread.join(10)
        assert not thread.is_alive()
    assert sorted(taken)[len(taken) // 2] < 0.5


def _send(connection: socket.socket, megabytes: int) -> None:
    try:
        for _ in range(megabytes):
            connection.sendall(bytes(1_000_000))
    except OSError:  # cut, as it should be
        pass
    else:
        raise AssertionError("all of it was taken")


@pytest.mark.parametrize("announced", [True, False])
def test_a_body_that_is_too_large_is_refused(visitor: httpx.Client, announced: bool) -> None:
    content = bytes(10_000_001) if announced else iter([bytes(1_000_000)] * 11)
    response = visitor.post("/api/answers", params=LORA, content=content)
    assert (response.status_code, response.json()["detail"][:16]) == (413, "a request has at")


def test_a_request_that_takes_too_long_is_ended() -> None:
    sent: list[Message] = []

    async def waits(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(60)

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        sent.append(message)

    limited = Limits(waits, seconds=0.01)
    asyncio.run(limited({"type": "http", "headers": []}, receive, send))
    assert sent[0]["status"] == 408


def test_what_would_wait_too_long_is_refused() -> None:
    async def crowd() -> list[object]:
        queue = Queue(threads=1, waiting=2)
        door = threading.Event()
        work = [asyncio.ensure_future(queue.do(door.wait)) for _ in range(2)]
        await asyncio.sleep(0)
        late = await asyncio.gather(queue.do(door.wait), return_exceptions=True)
        door.set()
        return [*late, *await asyncio.gather(*work), await queue.do(lambda: "again")]

    late, *others = asyncio.run(crowd())
    assert isinstance(late, HTTPException)
    assert late.status_code == 503
    assert others == [True, True, "again"]


def test_visitors_are_forgotten_when_there_are_many_or_after_a_while() -> None:
    few = Visitors(most=2, age=60)
    first, second, third = (few.welcome(None)[0] for _ in range(3))
    assert few.welcome(first)[0] != first
    assert few.welcome(third)[0] == third
    brief = Visitors(most=2, age=0.01)
    name, _ = brief.welcome(None)
    time.sleep(0.02)
    assert brief.welcome(name)[0] != name
    assert few.welcome("made up")[0] != "made up"
    del second


def test_a_port_that_is_taken_and_a_run_that_is_not_finished_are_one_line(
    address: str, run: Project, tmp_path: Path
) -> None:
    port = str(urlsplit(address).port)
    [line] = run.pipeline("serve", "--port", port, code=2).splitlines()
    assert line.startswith(f"serve: port {port}: ")
    [line] = run.pipeline("serve", "--port", "99999", code=2).splitlines()
    assert line.startswith("serve: port 99999: ")


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_at_once_with_one_line(run: Project, images: list[bytes], number: int) -> None:
    with serving(run.folder) as (process, found):
        place = (urlsplit(found).hostname, urlsplit(found).port)
        with socket.create_connection(place) as half, httpx.Client(base_url=found) as client:
            half.sendall(b"POST /api/answers?method=lora HTTP/1.1\r\nHost: 127.0.0.1\r\n")
            half.sendall(b"Content-Length: 500\r\n\r\nx")
            assert answers(client, images[3])
            start = time.perf_counter()
            process.send_signal(number)
            output, errors = process.communicate(timeout=10)
            # On an idle machine; on a busy one it takes as many times longer.
            assert time.perf_counter() - start < 2 * max(1, os.getloadavg()[0] / cores())
        assert (process.returncode, output, errors) == (130, "", "serve: interrupted\n")
