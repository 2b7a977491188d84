"""What a process that runs stages does before it loads PyTorch."""

import ctypes
import os
import signal
import sys
from multiprocessing import parent_process
from threading import Thread

from pipeline.core.errors import InputError


def prepare() -> None:
    """Shortens the waiting of idle threads, and keeps freed memory.

    A thread with nothing to do spins for a moment before it gives its core away. A training alone
    is as fast so as with OpenMP's default, 100 times as long, where two side by side on the same
    cores take more than twice the time. Those are fastest with none, so who starts them sets
    `GOMP_SPINCOUNT=0`; with it, one alone takes two fifths longer.

    Blocks of up to 64 MiB, as much as a step of a training takes, are kept when they are freed,
    which spares page faults at the next step; larger ones are given back. (glibc alone.)
    """
    os.environ.setdefault("GOMP_SPINCOUNT", "3000")
    if sys.platform == "linux":
        trim_threshold, mmap_threshold = -1, -3  # names in malloc.h
        library = ctypes.CDLL(None)
        if hasattr(library, "mallopt"):
            library.mallopt(mmap_threshold, 1 << 26)
            library.mallopt(trim_threshold, 1 << 26)


def cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):  # not on every system
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def workers() -> int:
    """How many processes work at once: `RETAIN_WORKERS`, or the cores this process may use."""
    given = os.environ.get("RETAIN_WORKERS") or "0"
    if not given.isdecimal():
        raise InputError(f"RETAIN_WORKERS is {given!r}; a whole number accepted")
    return int(given) or cores()


def end_with_parent() -> None:
    """Makes this worker end with the process that started it, however that ends.

    An interrupt from the keyboard reaches both; the worker leaves it to the other.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_wait_for_parent, daemon=True).start()


def _wait_for_parent() -> None:
    parent = parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
