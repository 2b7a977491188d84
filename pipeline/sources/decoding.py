"""Many pictures decoded side by side, in their order, a few at a time."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from pipeline.core import process
from pipeline.core.errors import InputError
from pipeline.sources import pictures
from pipeline.sources.messages import refuse
from pipeline.sources.pictures import Fit, Header

CHUNK = 64
"""Pictures that a worker takes at once."""
AHEAD = 4
"""Chunks for every worker that may be waiting to be written."""
FEW = 500
"""Pictures that are decoded sooner than workers have started."""


class Picture(NamedTuple):
    """Where a picture is: a file, or a part of one.

    Attributes:
        name: its path below the folder that holds the classes, with slashes.
        file: the path of the file.
        start: the first byte, if it is a part.
        length: in bytes; None if the file is the picture.
    """

    name: str
    file: str
    start: int = 0
    length: int | None = None

    def content(self) -> Path | bytes:
        """The file, or the part's bytes."""
        if self.length is None:
            return Path(self.file)
        with Path(self.file).open("rb") as file:
            file.seek(self.start)
            return file.read(self.length)


class Form(NamedTuple):
    """The shape of all pictures, and how they are brought to it."""

    size: int
    channels: int
    fit: Fit

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height, width."""
        return self.channels, self.size, self.size


Result = TypeVar("Result")
Done = tuple[Result, list[str]]
"""What came of some pictures, and what was wrong with them."""
Attempt = npt.NDArray[np.uint8] | InputError
"""A picture, or what is wrong with it."""


def decoded(found: Sequence[Picture], form: Form) -> Iterator[npt.NDArray[np.uint8]]:
    """Yields all pictures in their order, `(some, channels, size, size)` at a time.

    Raises:
        InputError: at the end, naming those that can't be decoded.
    """
    problems: list[str] = []
    for rows, bad in _side_by_side(partial(_decode, form), found, "decode"):
        problems += bad
        yield rows
    refuse(problems)


def attempted(found: Sequence[Picture], form: Form) -> Iterator[list[Attempt]]:
    """Yields all pictures in their order, `(channels, size, size)` each, or what is wrong."""
    yield from _side_by_side(partial(_attempts, form), found, "decode")


def headers(found: Sequence[Picture]) -> list[Header]:
    """The headers of all pictures that have one."""
    parts = _side_by_side(_headers, found, "measure")
    return [header for some, _ in parts for header in some]


def _decode(form: Form, found: Sequence[Picture]) -> Done[npt.NDArray[np.uint8]]:
    rows = np.zeros((len(found), *form.shape), np.uint8)
    problems = []
    for row, image in zip(rows, _tried(form, found), strict=True):
        if isinstance(image, InputError):
            problems.append(str(image))
        else:
            row[:] = image
    return rows, problems


def _attempts(form: Form, found: Sequence[Picture]) -> list[Attempt]:
    return list(_tried(form, found))


def _tried(form: Form, found: Sequence[Picture]) -> Iterator[Attempt]:
    for picture in found:
        try:
            yield pictures.read(picture.content(), *form, name=picture.name)
        except InputError as error:
            yield error


def _headers(found: Sequence[Picture]) -> Done[list[Header]]:
    some, problems = [], []
    for picture in found:
        try:
            some.append(pictures.header(picture.content(), picture.name))
        except InputError as error:
            problems.append(str(error))
    return some, problems


def _side_by_side(
    work: Callable[[Sequence[Picture]], Result], found: Sequence[Picture], name: str
) -> Iterator[Result]:
    """Yields what comes of each chunk, in order; no more than a few wait to be taken."""
    count = process.workers() if len(found) > FEW else 1
    chunks = (found[start : start + CHUNK] for start in range(0, len(found), CHUNK))
    waiting: deque[tuple[int, Future[Result]]] = deque()
    with (
        tqdm(total=len(found), desc=name, unit="picture", disable=None, delay=1) as progress,
        _workers(count) as submit,
    ):
        for chunk in chunks:
            waiting.append((len(chunk), submit(work, chunk)))
            if len(waiting) >= count * AHEAD:
                yield _next(waiting, progress)
        while waiting:
            yield _next(waiting, progress)


def _next(waiting: "deque[tuple[int, Future[Result]]]", progress: "tqdm[Any]") -> Result:
    length, future = waiting.popleft()
    try:
        result = future.result()
    except BrokenProcessPool:
        raise InputError(
            "a process that decoded pictures was ended from outside; if memory was short, "
            "RETAIN_WORKERS=1 takes less"
        ) from None
    progress.update(length)
    return result


@contextmanager
def _workers(count: int) -> Iterator[Callable[..., "Future[Any]"]]:
    """Yields a function that submits work: to processes, or to this one if it is the only one."""
    if count == 1:
        yield _now
        return
    context = get_context("forkserver")
    context.set_forkserver_preload([__name__])
    with ProcessPoolExecutor(count, context, process.end_with_parent) as pool:
        yield pool.submit


def _now(work: Callable[..., Result], *arguments: Any) -> "Future[Result]":
    future: Future[Result] = Future()
    future.set_result(work(*arguments))
    return future
