"""Processes of other programs that end with this one."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from pipeline.core.errors import InputError

GRACE = 1.0
"""Seconds that a child has to end before it is killed."""

_alive: "set[subprocess.Popen[str]]" = set()
_ending = False


@contextmanager
def running(
    command: Sequence[str],
    folder: Path,
    environment: Mapping[str, str] | None = None,
    quiet: bool = True,
) -> "Iterator[subprocess.Popen[str]]":
    """Starts a program in a folder, with all that it starts itself in one group.

    Whatever ends the context (Ctrl-C, SIGTERM, an error) ends the whole group.

    Args:
        command: the program and its arguments.
        folder: where it runs.
        environment: further variables.
        quiet: whether its errors go to its output, which is to be read from the pipe.
    """
    with subprocess.Popen(
        command,
        cwd=folder,
        env=os.environ | {"PYTHONUNBUFFERED": "1"} | dict(environment or {}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT if quiet else None,
        text=True,
        start_new_session=True,
    ) as child:
        _alive.add(child)
        try:
            if _ending:
                raise InputError("interrupted")
            yield child
        finally:
            _alive.discard(child)
            _end(child)


def end_left_over(folder: Path) -> None:
    """Ends what a killed process has left running in a folder; Linux alone can tell what does."""
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (entry / "cwd").resolve() == folder.resolve():
                os.kill(int(entry.name), signal.SIGKILL)


def end_all() -> None:
    """Ends all that is running, for threads that wait for it cannot be interrupted."""
    global _ending
    _ending = True
    alive = list(_alive)
    _alive.clear()
    _end(*alive)


def ended(child: "subprocess.Popen[str]") -> bool:
    """Whether a child did not end by itself, but by `end_all`."""
    return child not in _alive


def _end(*children: "subprocess.Popen[str]") -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        for child in children:
            # The group may outlive the child that leads it.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(child.pid, number)
        deadline = time.monotonic() + GRACE
        while number == signal.SIGTERM and time.monotonic() < deadline and _any(children):
            time.sleep(0.05)
    for child in children:
        child.wait()


def _any(children: "Sequence[subprocess.Popen[str]]") -> bool:
    """Whether a process of the children's groups is there."""
    for child in children:
        child.poll()
    return any(_group(child.pid) for child in children)


def _group(leader: int) -> bool:
    """Whether a process of a group is there."""
    try:
        os.killpg(leader, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True
