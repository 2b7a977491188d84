"""Where the cells of a study run: on this machine, or on a Dask cluster.

A worker of a cluster needs to see nothing of this machine's files. It clones the repository from
where this one's `origin` is, at the commit that is studied, into a folder that it keeps; where the
project names a default remote of DVC, it takes from there what is known (DVC's run-cache), and
brings back what it has made.
"""

import fcntl
import hashlib
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from pipeline.core import process
from pipeline.core.errors import InputError
from pipeline.studies import cells, checkout, children
from pipeline.studies.cells import Record
from pipeline.studies.grid import Cell

if TYPE_CHECKING:
    from distributed import Client, Future

THREADS = 2
"""Cores that a cell keeps busy, more or less."""
WAITING = 64
"""The most cells that a cluster is given at a time."""


class Place(Protocol):
    """Runs cells, `at_once` of them at a time."""

    @property
    def at_once(self) -> int:
        """How many cells may wait for it."""

    def run(self, wanted: Sequence[str], cell: Cell, start: bytes | None) -> Record:
        """As `cells.run`."""

    def base(self, cell: Cell) -> bytes:
        """As `cells.base`."""

    def end(self) -> None:
        """Waits no longer for what is running."""


@contextmanager
def place(study: str, commit: str, count: int) -> Iterator[Place]:
    """Yields the place for some cells of a study.

    Args:
        study: its name.
        commit: what is run.
        count: how many cells there are.

    Raises:
        InputError: if there is no such cluster, it is lost, or workers have nothing to clone from.
    """
    if address := os.environ.get("DASK_SCHEDULER_ADDRESS"):
        from pipeline.search.workers import cluster  # loads PyTorch, which takes seconds

        try:
            origin = checkout.git(Path(), "remote", "get-url", "origin").decode().strip()
        except InputError:
            raise InputError(
                "DASK_SCHEDULER_ADDRESS is set, but the repository has no remote `origin`, from "
                "which the workers could clone it"
            ) from None
        with cluster(address) as client:
            yield OnCluster(study, commit, min(count, WAITING), origin, client)
    else:
        at_once = min(count, max(1, process.workers() // THREADS) + 1)
        yield Here(study, commit, at_once, max(1, process.workers() // at_once))


@dataclass(frozen=True)
class Here:
    """Processes of this machine, which share DVC's cache."""

    study: str
    commit: str
    at_once: int
    workers: int

    def run(self, wanted: Sequence[str], cell: Cell, start: bytes | None) -> Record:
        """As `cells.run`."""
        return cells.run(wanted, cell, self.study, self.commit, self.workers, start)

    def base(self, cell: Cell) -> bytes:
        """As `cells.base`."""
        return cells.base(cell, self.study, self.commit, self.workers)

    def end(self) -> None:
        """Ends what is running."""
        children.end_all()


@dataclass(frozen=True)
class OnCluster:
    """Workers of a Dask cluster, which begin again with what a lost one has begun."""

    study: str
    commit: str
    at_once: int
    origin: str
    client: "Client"
    _futures: "list[Future[Any]]" = field(default_factory=list)

    def run(self, wanted: Sequence[str], cell: Cell, start: bytes | None) -> Record:
        """As `cells.run`."""
        record: Record = self._call(run_on_worker, [*wanted], cell, start)
        return record

    def base(self, cell: Cell) -> bytes:
        """As `cells.base`."""
        content: bytes = self._call(base_on_worker, cell)
        return content

    def end(self) -> None:
        """Waits no longer; a worker goes on to the end of its cell."""
        self.client.cancel([*self._futures])

    def _call(self, function: Any, *arguments: Any) -> Any:
        given = (self.origin, self.study, self.commit, *arguments)
        future = self.client.submit(function, *given, pure=False)
        self._futures.append(future)
        try:
            return future.result()
        finally:
            self._futures.remove(future)  # a worker that is lost later takes its results with it


def run_on_worker(
    origin: str, study: str, commit: str, wanted: Sequence[str], cell: Cell, start: bytes | None
) -> Record:
    """Runs a cell in a clone of a repository; the rest as `cells.run`."""
    project = clone(origin, commit)
    workers = process.workers()
    return cells.run(wanted, cell, study, commit, workers, start, project, with_remote=True)


def base_on_worker(origin: str, study: str, commit: str, cell: Cell) -> bytes:
    """Makes a base model in a clone of a repository; the rest as `cells.base`."""
    project = clone(origin, commit)
    return cells.base(cell, study, commit, process.workers(), project, with_remote=True)


def clone(origin: str, commit: str) -> Path:
    """Clones a repository, or brings the clone that this machine has up to date.

    Raises:
        InputError: if the repository can't be read, or has no such commit, or its place here is
            somebody else's.
    """
    name = hashlib.sha256(origin.encode()).hexdigest()[:12]
    folder = Path(tempfile.gettempdir()) / f"retain-{os.getuid()}-{name}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.lstat().st_uid != os.getuid():  # whose code would be run
        raise InputError(f"{folder}: belongs to another user")
    project = folder / "project"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (project / ".git/HEAD").exists():
            checkout.git(folder, "clone", "--quiet", "--no-checkout", origin, project.name)
        known = checkout.git(project, "rev-list", "--all").decode().split()
        if commit not in known:
            checkout.git(project, "fetch", "--quiet", "origin")
            known = checkout.git(project, "rev-list", "--all").decode().split()
    if commit not in known:
        raise InputError(f"{origin}: no commit {commit[:7]}; push it first")
    return project
