"""The committed results: the tables of the questions, and all pictures."""

from dataclasses import dataclass
from pathlib import Path

from pipeline.app import results
from pipeline.core import artifacts
from pipeline.scoring.names import title
from pipeline.scoring.tables import Table

TITLES = {
    "new_class": "Which technique teaches a new class?",
    "ranks": "LoRA, or training everything?",
    "shapes": "Transfer, few labels, the unknown",
}
"""The questions, as people read them."""
PLOTS = Path("plots")


@dataclass(frozen=True)
class Picture:
    """A PNG file, by its path below `plots/`, and its width and height in pixels."""

    path: str
    title: str
    width: int
    height: int


@dataclass(frozen=True)
class Question:
    """What a question came to.

    Attributes:
        title: of the question.
        seeds: tables of the replicates, rows of cells with the header first; may be empty.
        last: tables of the last run.
        alike: whether the replicates are of the images of the last run.
        data: what the last run was of.
        pictures: of the question.
    """

    title: str
    seeds: list[Table]
    last: list[Table]
    alike: bool
    data: str
    pictures: list[Picture]


def questions() -> list[Question]:
    """The questions that have results."""
    return [
        Question(
            title=TITLES[name],
            seeds=list(results.of_seeds(name).values()) if results.REPLICATES.exists() else [],
            last=last,
            alike=results.alike(name),
            data=results.described(name),
            pictures=_pictures(name),
        )
        for name in results.QUESTIONS
        if (last := results.of_last(name))
    ]


def _pictures(question: str) -> list[Picture]:
    files = [
        *PLOTS.glob(f"studies/*_{question}.png"),
        *sorted(PLOTS.glob(f"{question}/pictures/*.png")),
    ]
    return [
        Picture(
            file.relative_to(PLOTS).as_posix(),
            title(file.stem.removesuffix(f"_{question}")).capitalize(),
            *_size(artifacts.load_bytes(file)),
        )
        for file in files
    ]


def _size(png: bytes) -> tuple[int, int]:
    """Width and height in the header of a PNG file."""
    return int.from_bytes(png[16:20]), int.from_bytes(png[20:24])
