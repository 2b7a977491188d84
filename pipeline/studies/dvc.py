"""DVC as a process: `dvc repro`, with a line per stage that ran, and its other commands."""

import re
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from pipeline.core.errors import InputError
from pipeline.studies.children import ended, running

SHOWN = 20
"""Lines of its output that are shown of a stage that failed."""


def repro(
    folder: Path,
    targets: Sequence[str] = (),
    *,
    pull: bool = False,
    beside: bool = False,
    tell: Callable[[str], object] = lambda line: None,
    environment: Mapping[str, str] | None = None,
) -> dict[str, float]:
    """Runs `dvc repro`; the time in which DVC saves a stage's files counts as the stage's.

    Args:
        folder: of the project.
        targets: stages (default: all).
        pull: whether what DVC's remote has is taken from there.
        beside: whether others run beside it in this folder: without what the targets need, and
            without the progress bars that a terminal is shown otherwise.
        tell: is given a line for each stage when it is finished.
        environment: further variables.

    Returns:
        The seconds of each stage that ran.

    Raises:
        InputError: if a stage fails, or DVC does.
    """
    seconds: dict[str, float] = {}
    lines: list[str] = []
    current, began = "", time.perf_counter()

    def finish() -> None:
        if current:
            seconds[current] = time.perf_counter() - began
            tell(f"{current:<18} {seconds[current]:7.1f} s")

    command = ["dvc", "repro", *(["--pull"] if pull else []), *targets]
    if beside:
        command[1:2] = ["--wait-for-lock", "repro", "--single-item"]
    quiet = beside or not sys.stderr.isatty()
    with running(command, folder, environment, quiet) as child:
        assert child.stdout is not None
        for line in child.stdout:
            if started := re.match(r"(Running stage|Stage) '([^']+)'", line):
                finish()
                lines.clear()
                current = started[2] if started[1] == "Running stage" else ""
                began = time.perf_counter()
                if "is cached" in line:
                    tell(f"{started[2]:<18} from the cache")
            elif line.strip():
                lines.append(line.rstrip())
        code = child.wait()
        if ended(child):
            raise InputError("interrupted")
    if code:
        told = [line for line in lines if not line.startswith(("> ", "Updating lock file"))]
        print(*told[-SHOWN:], sep="\n", file=sys.stderr)
        raise InputError(f"stage {current} failed" if current else f"DVC ended with code {code}")
    finish()
    return seconds


def call(folder: Path, *arguments: str) -> str:
    """Runs another command of DVC; returns what it says.

    Raises:
        InputError: if it fails.
    """
    with running(["dvc", *arguments], folder) as child:
        assert child.stdout is not None
        told = child.stdout.read()
        code = child.wait()
        if ended(child):
            raise InputError("interrupted")
    if code:
        raise InputError(f"dvc {arguments[0]}: {told.strip().splitlines()[-1] if told else code}")
    return told
