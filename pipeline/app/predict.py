"""`python -m pipeline predict IMAGE...` says what is on pictures, before and after a method."""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from pipeline.app.arguments import Parser
from pipeline.app.models import Answer, Predictor
from pipeline.app.taught import Taught
from pipeline.core import artifacts
from pipeline.core.errors import InputError
from pipeline.scoring.names import title
from pipeline.scoring.tables import markdown
from pipeline.sources import decoding
from pipeline.sources.decoding import Attempt, Picture
from pipeline.sources.messages import readable
from pipeline.sources.pictures import EXTENSIONS

STDIN = "-"
PARSER = Parser(
    "predict",
    "Says what is on pictures: the answer of a method, and beside it that of the base model.",
    "A picture is decoded, turned as the camera was held, and brought to the size and colours of "
    "the training images by the code that `download` brought those with, and nothing more: MNIST's "
    "digits are white on black, 20 pixels high in the middle of 28x28, and others are not "
    "recognised as well. An answer is `unknown` where it is less sure than 95 % of those on "
    "validation data. The exit code is 1 if a file could not be read, 2 if none could.",
)
PARSER.add_argument("images", nargs="+", metavar="IMAGE", help="a file, a folder, or - for stdin")
PARSER.add_argument("--method", default="lora", help="which (default: lora)")
PARSER.add_argument(
    "--with",
    dest="taught",
    metavar="FILE",
    help="a class that was taught in the page and downloaded: the answer of the base with it too",
)
PARSER.add_argument("--json", action="store_true", help="print a line of JSON for each picture")


class Asked(NamedTuple):
    """A model that is asked: its name, that in the head of a table, and what it answers."""

    name: str
    heading: str
    answers: Callable[[npt.NDArray[np.uint8]], list[Answer]]


def main(words: list[str]) -> int:
    """Prints a table, or lines of JSON, and a line on stderr for what can't be read.

    Returns:
        The exit code.

    Raises:
        InputError: if the words are refused, or the model can't be loaded.
    """
    given = PARSER.parse_args(words)
    base = Predictor.load()
    asked = _asked(given.method, base, given.taught)
    rows: list[list[str]] = []
    answered = unreadable = 0
    for names, attempts in _read(given.images, base):
        named = list(zip(names, attempts, strict=True))
        problems = [image for image in attempts if isinstance(image, InputError)]
        unreadable += len(problems)
        for problem in problems:
            print(f"predict: {readable(str(problem))}", file=sys.stderr)
        found = [(name, image) for name, image in named if not isinstance(image, InputError)]
        if not found:
            continue
        answered += len(found)
        images = np.stack([image for _, image in found])
        answers = zip(*(each.answers(images) for each in asked), strict=True)
        for (name, _), of_models in zip(found, answers, strict=True):
            if given.json:
                print(json.dumps(_content(readable(name), given.method, asked, of_models)))
            else:
                cells = [cell for each in of_models for cell in _cells(each)]
                rows.append([readable(name), *cells])
    if rows:
        header = [cell for each in asked for cell in (each.heading, "probability, %")]
        print(markdown([["picture", *header], *rows]))
    return (1 if answered else 2) if unreadable else 0


def _asked(method: str, base: Predictor, taught: str | None) -> list[Asked]:
    """The method, the base if that is another, and the base with a class of one's own if any."""
    asked = [Asked("base", title("base"), base.answers)]
    if method != "base":
        asked.insert(0, Asked(method, title(method), Predictor.load(method).answers))
    if taught is not None:
        shown = readable(taught)
        if not Path(taught).is_file():
            raise InputError(f"{shown}: no such file")
        own = Taught.from_bytes(artifacts.load_bytes(taught), base, shown)
        asked.append(Asked("taught", f"base with {own.name}", partial(own.answers, base)))
    return asked


def _read(given: Sequence[str], predictor: Predictor) -> Iterator[tuple[list[str], list[Attempt]]]:
    """Yields names and pictures, or what is wrong with them, some at a time."""
    form = predictor.form
    if STDIN in given:
        try:
            image: Attempt = predictor.prepare(sys.stdin.buffer.read(), STDIN)
        except InputError as error:
            image = error
        yield [STDIN], [image]
    found: list[Picture] = []
    for word in given:
        if word == STDIN:
            continue
        path = Path(word)
        inside = _inside(path) if path.is_dir() else [path]
        if not inside:
            yield [word], [InputError(f"{word}: no picture in it")]
        found += [Picture(str(file), str(file)) for file in inside]
    start = 0
    for attempts in decoding.attempted(found, form):
        yield [picture.name for picture in found[start : start + len(attempts)]], attempts
        start += len(attempts)


def _inside(folder: Path) -> list[Path]:
    """The pictures in a folder and below, by their names' endings, in order."""
    return sorted(
        file
        for file in folder.rglob("*")
        if file.suffix.lower() in EXTENSIONS and not file.name.startswith(".") and file.is_file()
    )


def _cells(answer: Answer) -> list[str]:
    name = readable(answer.name)
    shown = name if answer.known else f"unknown ({name}?)"
    return [shown, f"{100 * answer.probability:.2f}"]


def _content(
    name: str, method: str, asked: Sequence[Asked], answers: Sequence[Answer]
) -> dict[str, Any]:
    """What a line of JSON holds: the method's answer, and those of the others by their names."""
    content = {"picture": name, "method": method, **asdict(answers[0])}
    for each, answer in zip(asked[1:], answers[1:], strict=True):
        content[each.name] = asdict(answer)
    return content
