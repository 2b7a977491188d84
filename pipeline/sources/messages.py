"""What a source says of many files: the first five, and how many more there are."""

import sys
import unicodedata
from collections.abc import Sequence

from pipeline.core.errors import InputError

SHOWN = 5


def refuse(problems: Sequence[str]) -> None:
    """Ends the stage if there is a problem.

    Raises:
        InputError: the first problems, and how many more there are.
    """
    if problems:
        raise InputError(listed(problems, "; "))


def listed(items: Sequence[str], between: str = ", ") -> str:
    """The first items, and how many more there are; what is no valid text is escaped."""
    text = between.join(readable(item) for item in items[:SHOWN])
    more = len(items) - SHOWN
    return f"{text}{between}and {more:,} more" if more > 0 else text


def readable(name: str) -> str:
    """A file's name as one line of valid text."""
    text = name.encode("utf-8", "backslashreplace").decode("utf-8")
    breaks = ("Cc", "Zl", "Zp")
    return "".join(ascii(c)[1:-1] if unicodedata.category(c) in breaks else c for c in text)


def is_text(name: str) -> bool:
    """Whether a name is valid text, in one line."""
    return readable(name) == name


def counted(count: int, noun: str, several: str = "") -> str:
    """A number of things, as in `1 picture` and `2,000 pictures`."""
    return f"{count:,} {noun if count == 1 else several or noun + 's'}"


def say(line: str) -> None:
    """Tells the user what is no error."""
    print(line, file=sys.stderr)
