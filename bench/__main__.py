"""`python -m bench [NAME...]` takes times, the usual or some; `python -m bench readme` shows them.

The latter fills the tables of bench/README.md with what was measured last.
"""

import os
import signal
import sys
from contextlib import suppress
from multiprocessing import parent_process
from pathlib import Path
from types import FrameType

import psutil

from bench import copies
from pipeline.core import artifacts
from pipeline.core.errors import InputError

README = Path("bench/README.md")


def main(names: list[str]) -> int:
    """Does what the command line names; returns the exit code."""
    # Here, so that processes started later import no more than they need.
    from bench import tables
    from pipeline.scoring.tables import fill

    try:
        if names == ["readme"]:
            text = artifacts.load_bytes(README).decode()
            artifacts.save_bytes(README, fill(text, tables.parts(tables.saved())).encode())
            return 0
        measure(names)
    except InputError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    print(*tables.parts(tables.saved()).values(), sep="\n\n")
    return 0


def measure(names: list[str]) -> None:
    """Takes the named measurements, or the usual ones.

    Raises:
        InputError: if one is unknown, or can't be taken.
    """
    from bench.measurements import BY_NAME, MEASUREMENTS, write

    if unknown := [name for name in names if name not in MEASUREMENTS]:
        raise InputError(f"{unknown[0]!r}; accepted: readme alone, {', '.join(MEASUREMENTS)}")
    write(names or [name for name in MEASUREMENTS if name not in BY_NAME])


def end(number: int, frame: FrameType | None) -> None:
    """Ends all that was started, in copies that nobody needs, and this process.

    This is the handler of a signal. It raises nothing: what it interrupts may ignore that, or
    wait for those that have ended.
    """
    if parent_process():  # a forked worker, of which the first process tells
        os._exit(130)
    started = psutil.Process().children(recursive=True)
    for process in started:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(started)
    copies.remove()
    os.write(sys.stderr.fileno(), b"bench: interrupted\n")
    os._exit(130)


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    sys.exit(main(sys.argv[1:]))
