"""`python -m pipeline choose` lists the methods that fit what is left and what may be spent."""

import argparse
import math
import re
from decimal import Decimal

from pipeline.app.arguments import Parser
from pipeline.core import artifacts
from pipeline.core.errors import InputError
from pipeline.new_class import choice
from pipeline.new_class.choice import Limits, Measured, Old
from pipeline.scoring.names import title
from pipeline.scoring.tables import Table, markdown

EXAMPLE = "--old statistics --kept 1MB --forgetting 0.3"
"""The question that a text shows the answer to."""
UNITS = {"b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9}


def _old(text: str) -> Old:
    match text:
        case "none" | "statistics" | "all":
            return text
    if re.fullmatch("[0-9]{1,9}", text) and int(text):
        return int(text)
    raise argparse.ArgumentTypeError(
        f"found {text!r}; none, statistics, all or a number of images accepted"
    )


def _size(text: str) -> int:
    found = re.fullmatch(r"([0-9]{1,15}(?:\.[0-9]{1,15})?) ?([kmg]?b)", text.lower())
    if not found:
        raise argparse.ArgumentTypeError(f"{text!r} is no size; one like 900kB or 1.5MB accepted")
    return int(Decimal(found[1]) * UNITS[found[2]])


def _points(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 100:
        raise argparse.ArgumentTypeError(f"{text!r} are no percentage points; 0 to 100 accepted")
    return value


def _count(text: str) -> int:
    if not re.fullmatch("[0-9]{1,15}", text):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of parameters; 0 or more accepted")
    return int(text)


_points.__name__ = "number"
PARSER = Parser(
    "choose",
    "Lists the methods that fit, best first, with what they were measured to come to on several "
    "sets of images, and says where each loses against another of them.",
    "If nothing fits, a line says what would have to give, and the exit code is 2.",
)
PARSER.add_argument(
    "--old", type=_old, required=True, metavar="WHAT",
    help="what is left of the old classes: none; statistics, which are worked out before the "
    "images go; the number of images kept of each, and no statistics of others; or all",
)  # fmt: skip
PARSER.add_argument(
    "--kept", type=_size, metavar="SIZE",
    help="most that may be kept of it beside the model, as 900kB or 1MB (default: any)",
)  # fmt: skip
PARSER.add_argument(
    "--forgetting", type=_points, metavar="POINTS",
    help="most percentage points that the accuracy on old classes may lose (default: any)",
)  # fmt: skip
PARSER.add_argument(
    "--parameters", type=_count, metavar="N", help="most that may be trained (default: any)"
)


def main(words: list[str]) -> None:
    """Prints the methods that fit, and what the figures are of.

    Raises:
        InputError: if the words are refused, nothing fits, or there are no figures.
    """
    limits = asked(words)
    methods = _measured()
    found = choice.fitting(methods, limits)
    if not found:
        raise InputError(contradiction(methods, limits))
    first, *_ = cases = found[0].accuracy
    seeds = ", ".join(f"{case} {figure['n']}" for case, figure in found[0].accuracy.items())
    print(f"{markdown(choice.table(found))}\n")
    print(f"From {choice.STUDY}, seeds: {seeds}. Order, limits, what is kept and trained: {first}.")
    print(
        f"{', '.join(cases)}: accuracy on all classes, % ± half of the 95 % interval / forgetting, "
        "points. Loses on: where another of these is better beyond both intervals."
    )


def asked(words: list[str]) -> Limits:
    """The limits that the words of a command set.

    Raises:
        InputError: if they are refused.
    """
    return Limits(**vars(PARSER.parse_args(words)))


def example() -> Table:
    """The answer to the example."""
    return choice.table(choice.fitting(_measured(), asked(EXAMPLE.split())))


def _measured() -> list[Measured]:
    study = artifacts.load_json(choice.STUDY)
    methods = choice.measured(study) if study["cases"] else []
    if not methods:
        raise InputError(f"{choice.STUDY}: has no method; `make studies` runs what is missing")
    return methods


def contradiction(methods: list[Measured], limits: Limits) -> str:
    """What would have to give for a method to fit, as words of the command."""
    ways = []
    for names, method in choice.in_the_way(methods, limits).items():
        changes = [
            f"--{name} {_rounded(name, needed)} instead of {_word(name, limits._asdict()[name])}"
            for name, needed in method.needs._asdict().items()
            if name in names
        ]
        ways.append(f"with {' and '.join(changes)} {title(method.name)} would")
    return f"nothing fits; {', or '.join(ways)}"


def _rounded(name: str, needed: Old | float) -> str:
    """A limit that suffices, in few digits."""
    if name == "kept":
        return f"{math.ceil(float(needed) / 1000)}kB"
    if name == "forgetting":
        return f"{math.ceil(100 * float(needed)) / 100:g}"
    return str(needed)


def _word(name: str, limit: Old | float) -> str:
    if name == "kept":
        return f"{float(limit) / 1000:.10g}kB"
    return f"{limit:g}" if name == "forgetting" else str(limit)
