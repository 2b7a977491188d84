"""Many visitors of the page at once: how long a digit takes to be answered."""

import asyncio
import io
import subprocess
import sys
import time
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from PIL import Image, ImageDraw

CLIENTS = 50
SECONDS = 60.0
SIDE = 280
REQUEST = (
    "POST /api/answers?method=lora HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: image/png\r\n"
    "Content-Length: {}\r\n\r\n"
)


def measure(clients: int = CLIENTS, seconds: float = SECONDS) -> dict[str, Any]:
    """Serves the run that is here, and asks it from this process.

    Args:
        clients: that each ask again as soon as they are answered.
        seconds: for which they do.

    Returns:
        `clients`; `requests` that were answered, and `errors`, with another status than 200;
        `milliseconds`: the `p50`, `p95` and `p99` of a request.
    """
    command = [sys.executable, "-m", "pipeline", "serve", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            address = urlsplit(process.stdout.readline().split()[0])
            assert address.port
            taken, errors = asyncio.run(_crowd(address.port, clients, seconds))
        finally:
            process.terminate()
    quantiles = np.percentile(taken, [50, 95, 99]) * 1000
    return {
        "clients": clients,
        "requests": len(taken),
        "errors": errors,
        "seconds": seconds,
        "milliseconds": dict(zip(("p50", "p95", "p99"), quantiles.tolist(), strict=True)),
    }


async def _crowd(port: int, clients: int, seconds: float) -> tuple[list[float], int]:
    """Seconds of every request, and how many failed."""
    await _client(port, time.perf_counter() + 1)  # what is slow once
    until = time.perf_counter() + seconds
    results = await asyncio.gather(*(_client(port, until) for _ in range(clients)))
    return [one for taken, _ in results for one in taken], sum(errors for _, errors in results)


async def _client(port: int, until: float) -> tuple[list[float], int]:
    """Draws a line a bit further each time, and asks what it is."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    taken: list[float] = []
    errors = 0
    while (start := time.perf_counter()) < until:
        body = _digit(len(taken) % 20)
        writer.write(REQUEST.format(len(body)).encode() + body)
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.partition("content-length:")[2].split()[0])
        await reader.readexactly(length)
        errors += head.split()[1] != "200"
        taken.append(time.perf_counter() - start)
    writer.close()
    return taken, errors


@cache
def _digit(step: int) -> bytes:
    """A PNG file of a seven, as far as it is drawn in 20 steps."""
    sheet = Image.new("L", (SIDE, SIDE))
    line = [(80, 60), (200, 60), (200 - 4 * step, 60 + 8 * step)]
    ImageDraw.Draw(sheet).line(line, fill=255, width=20, joint="curve")
    content = io.BytesIO()
    sheet.save(content, "PNG")
    return content.getvalue()
