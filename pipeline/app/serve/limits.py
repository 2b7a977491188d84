"""What one request may take, so that none holds up the others."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any, ParamSpec, TypeVar

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LARGEST = 10_000_000
"""Bytes of a request's body."""
SECONDS = 30.0
"""Until a request has to be answered."""
DRAINED = 10
"""Times that size that is read of a body that is too large, before the connection is cut."""
WAITING = 200
"""Requests that may wait for the models, or be worked on."""

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")
CLOSE = {"connection": "close"}


class Limits:
    """Bounds the size of a request's body, and the time until its answer is sent.

    Args:
        app: what answers.
        largest: bytes of a body.
        seconds: from the request's headers to the end of the answer.
    """

    def __init__(self, app: ASGIApp, largest: int = LARGEST, seconds: float = SECONDS):
        self._app = app
        self._largest = largest
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a request, with 413 or 408 where it goes beyond a bound."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        announced = dict(scope["headers"]).get(b"content-length", b"0")
        too_large = not announced.isdigit() or int(announced) > self._largest
        received, begun = 0, False

        async def bounded() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if too_large or received > self._largest:
                # A client that still sends would not read the answer.
                while message.get("more_body") and received < DRAINED * self._largest:
                    message = await receive()
                    received += len(message.get("body", b""))
                raise HTTPException(413, f"a request has at most {self._largest:,} bytes", CLOSE)
            return message

        async def noted(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            async with asyncio.timeout(self._seconds):
                await self._app(scope, bounded, noted)
        except TimeoutError:
            if not begun:
                detail = f"the request took more than {self._seconds:g} seconds"
                await JSONResponse({"detail": detail}, 408, CLOSE)(scope, receive, send)


class Queue:
    """Lets few threads work for many requests, and refuses those that would wait too long.

    Args:
        threads: that work.
        waiting: pieces of work that wait or are worked on.
    """

    def __init__(self, threads: int, waiting: int = WAITING):
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="model")
        self._waiting = waiting
        self._unfinished: set[Future[Any]] = set()

    async def do(
        self, work: Callable[Arguments, Result], *given: Arguments.args, **named: Arguments.kwargs
    ) -> Result:
        """Does some work in a thread when it is its turn.

        Raises:
            HTTPException: 503, if too much is waiting.
        """
        if len(self._unfinished) >= self._waiting:
            raise HTTPException(503, "too many requests wait; try again", {"retry-after": "1"})
        future = self._pool.submit(partial(work, *given, **named))
        self._unfinished.add(future)
        future.add_done_callback(self._unfinished.discard)
        return await asyncio.wrap_future(future)

    def close(self) -> None:
        """Drops what waits."""
        self._pool.shutdown(wait=False, cancel_futures=True)
