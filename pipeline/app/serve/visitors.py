"""What each visitor has drawn and taught: in memory, for a while, and seen by nobody else."""

import secrets
import time
from collections import OrderedDict
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from pipeline.app.taught import Taught

COOKIE = "visitor"
MOST = 200
"""Visitors that are remembered."""
AGE = 3600.0
"""Seconds for which one who does nothing is remembered."""
EXAMPLES = 10
"""Pictures that a class is taught with at most."""


@dataclass
class Visitor:
    """A visitor's state.

    Attributes:
        examples: pictures of the class to be taught, each `(channels, size, size)`.
        taught: the class, once it has been.
        seen: when the visitor last did something, seconds.
    """

    examples: list[npt.NDArray[np.uint8]] = field(default_factory=list)
    taught: Taught | None = None
    seen: float = 0.0


class Visitors:
    """The visitors by the names in their cookies, those seen last at the end.

    Args:
        most: how many are remembered; beyond, those seen longest ago are forgotten.
        age: seconds after which one who does nothing is forgotten.
    """

    def __init__(self, most: int = MOST, age: float = AGE):
        self._most = most
        self._age = age
        self._known: OrderedDict[str, Visitor] = OrderedDict()

    def find(self, name: str | None) -> Visitor:
        """The visitor of that name; one who has done nothing yet, if there is none."""
        self._forget()
        visitor = self._known.get(name or "")
        if name is None or visitor is None:
            return Visitor()
        visitor.seen = time.monotonic()
        self._known.move_to_end(name)
        return visitor

    def welcome(self, name: str | None) -> tuple[str, Visitor]:
        """The visitor of that name, or a new one who is remembered under another."""
        visitor = self.find(name)
        if name is None or name not in self._known:
            name = secrets.token_urlsafe(16)
            visitor.seen = time.monotonic()
            self._known[name] = visitor
            self._forget()
        return name, visitor

    def _forget(self) -> None:
        oldest = time.monotonic() - self._age
        while self._known:
            name, visitor = next(iter(self._known.items()))
            if len(self._known) <= self._most and visitor.seen >= oldest:
                return
            del self._known[name]
