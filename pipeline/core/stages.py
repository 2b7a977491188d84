"""Which stages there are: scripts found by their folders, and the sections that they may read.

A script `NAME.py` in `methods/`, or in the `stages/` of `sources/` and `new_class/`, is the stage
`NAME`, and its sections stand at the top of params.yaml. One of another question's `stages/` is the
stage `QUESTION_NAME`, and its sections stand below `QUESTION`.
"""

from pathlib import Path
from typing import NamedTuple

PACKAGE = Path(__file__).parents[1]
QUESTIONS = ("ranks", "shapes")
"""The questions that have stages and sections of their own name."""
SHARED = ("seed", "compute")
"""The sections that the stages of all questions read."""


class Stage(NamedTuple):
    """A stage's module, and the question that its sections stand below ("" at the top)."""

    module: str
    question: str

    def section(self, name: str) -> str:
        """Where in params.yaml an argument of the stage's `main` stands."""
        return f"{self.question}.{name}" if self.question and name not in SHARED else name


def find() -> dict[str, Stage]:
    """The stages by their names, in alphabetical order."""
    stages = {file.stem: Stage(_module(file), "") for file in methods().values()}
    for folder in PACKAGE.glob("*/stages"):
        question = folder.parent.name if folder.parent.name in QUESTIONS else ""
        for file in folder.glob("*.py"):
            name = f"{question}_{file.stem}" if question else file.stem
            stages[name] = Stage(_module(file), question)
    return dict(sorted(stages.items()))


def methods() -> dict[str, Path]:
    """The scripts of the methods by their names, in alphabetical order."""
    return {file.stem: file for file in sorted((PACKAGE / "methods").glob("*.py"))}


def _module(file: Path) -> str:
    return ".".join(("pipeline", *file.relative_to(PACKAGE).with_suffix("").parts))
