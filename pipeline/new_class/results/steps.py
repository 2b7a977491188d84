"""One class after another: a method's script runs once a step, each time in a folder of its own.

The folder holds what the method is handed, under the names that its stage depends on, and nothing
else: the new classes of the step, the base with what the method learned before, and what it keeps
of the classes before. A method need not know that there was a step before, nor that one follows.
"""

import shutil
import sys
from collections.abc import Callable
from contextlib import chdir
from functools import wraps
from pathlib import Path
from typing import Any

from pipeline.core import artifacts
from pipeline.core.labelled import Labelled
from pipeline.core.seeding import derive
from pipeline.learning.networks import Classifier
from pipeline.new_class import results
from pipeline.new_class.results.handing import Handing

Main = Callable[..., None]
Keep = Callable[[Classifier, Labelled, int | None], Labelled]
WORK = "work"
"""In a method's folder, the folders of the steps while it learns."""


def one_after_another(main: Main, keep: Keep | None = None) -> Main:
    """Runs the `main` of a method's stage for each step; as it is, if there is one alone.

    Args:
        main: the stage's.
        keep: which images are kept of classes that were learned, for a model, images, and the
            method's `budget` (default: some that are drawn at random).
    """
    name = main.__module__.rpartition(".")[2]

    @wraps(main)
    def each_step(**sections: Any) -> None:
        folder = results.METHODS / name
        needed = results.dependencies(folder)
        images = next(each for each in needed if each.endswith("/new_train"))
        steps = Labelled.load(images).steps
        shutil.rmtree(folder / results.STEPS, ignore_errors=True)  # of a run in several
        if not steps:
            main(**sections)
            return
        budget = getattr(sections[name], "budget", None)
        seed = sections.get("seed", 0)

        def kept(model: Classifier, images: Labelled) -> Labelled:
            if keep:
                return keep(model, images, budget)
            return images.few(budget, derive(seed, "kept"))

        shutil.rmtree(folder, ignore_errors=True)
        before = Path()
        learned: list[Path] = []
        try:
            for number, step in enumerate(steps, 1):
                handed = folder / WORK / str(number)
                drawn = derive(seed, "steps", number)
                Handing(needed, step, learned, before, kept, drawn).fill(handed)
                print(f"{name}: step {number} of {len(steps)}", file=sys.stderr)
                with chdir(handed):
                    main(**(sections if number == 1 else _drawn_anew(sections, drawn)))
                facts = artifacts.load_json(handed / folder / "facts.json")
                if results.LEFT_OUT in facts:
                    break
                learned.append(folder / results.STEPS / str(number))
                learned[-1].parent.mkdir(exist_ok=True)
                shutil.move(handed / folder, learned[-1])
                before = handed
        finally:
            shutil.rmtree(folder / WORK, ignore_errors=True)
        own = {key: value for key, value in facts.items() if key not in ("strength", "strengths")}
        artifacts.save_json(folder / "facts.json", own)

    return each_step


def _drawn_anew(sections: dict[str, Any], seed: int) -> dict[str, Any]:
    """The sections of a later step, whose random numbers are others."""
    return sections | {"seed": seed} if "seed" in sections else sections


def keeping(keep: Keep) -> Callable[[Main], Main]:
    """As `one_after_another`, for a method that says which images it keeps."""
    return lambda main: one_after_another(main, keep)
