"""Time and memory of other processes."""

import os
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Event, Thread
from types import TracebackType

import psutil

PAUSE = 0.2
"""Seconds between two looks at the memory."""


@dataclass(frozen=True)
class Usage:
    """What some work took: `megabytes` is the most memory that its processes had together."""

    seconds: float
    megabytes: float


class Memory:
    """Watches the memory of a process's descendants, all together, while in its context.

    Pages that processes share count once (proportional set size). Where `mapped` is false, pages
    of files don't count, which the system drops when it needs the memory.
    """

    def __init__(self, process: int, mapped: bool = True):
        self._parent = psutil.Process(process)
        self._line = "Pss" if mapped else "Pss_Anon"
        self._peak = 0
        self._end = Event()
        self._thread = Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "Memory":
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end.set()
        self._thread.join()

    def megabytes(self) -> float:
        """The most since this was last asked."""
        peak, self._peak = self._peak, 0
        return peak / 1e6

    def _watch(self) -> None:
        while not self._end.wait(PAUSE):
            total = 0
            with suppress(psutil.NoSuchProcess):
                for child in self._parent.children(recursive=True):
                    with suppress(OSError):
                        total += _kilobytes(child.pid, self._line) * 1024
            self._peak = max(self._peak, total)


def _kilobytes(process: int, line: str) -> int:
    """A line of what Linux knows of a process's memory; 0 of one that has just ended."""
    for each in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
        if each.startswith(f"{line}:"):
            return int(each.split()[1])
    return 0


def used(command: Sequence[str], folder: Path, mapped: bool = True) -> Usage:
    """Runs a command in a folder; `mapped` is as for `Memory`."""
    start = time.perf_counter()
    with Memory(os.getpid(), mapped) as memory:
        subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
        return Usage(time.perf_counter() - start, memory.megabytes())


@dataclass(frozen=True)
class Run:
    """A run of `dvc repro`: its seconds, and what each stage that ran took, by its name."""

    seconds: float
    stages: dict[str, dict[str, float]]


def repro(project: Path, *options: str) -> Run:
    """Runs `dvc repro`; the time in which DVC saves a stage's files counts as the stage's.

    Raises:
        CalledProcessError: if it fails.
    """
    command = ["dvc", "repro", *options]
    stages: dict[str, Usage] = {}
    start = time.perf_counter()
    with (
        subprocess.Popen(
            command,
            cwd=project,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            text=True,
        ) as process,
        Memory(process.pid) as memory,
    ):
        assert process.stdout is not None
        name, began = "", start
        for line in process.stdout:
            if line.startswith(("Running stage", "Use `dvc push`", "Stage '")) and name:
                stages[name] = Usage(time.perf_counter() - began, memory.megabytes())
                name = ""
            if line.startswith("Running stage"):
                name, began = line.split("'")[1], time.perf_counter()
                memory.megabytes()
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    used_by = {name: asdict(usage) for name, usage in stages.items()}
    return Run(time.perf_counter() - start, used_by)
