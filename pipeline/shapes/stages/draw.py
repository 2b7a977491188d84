"""Draws the shapes: source and target classes and others, each part from a seed of its own."""

from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from pipeline.core import process
from pipeline.core.labelled import Labelled
from pipeline.core.params import Count, Section, Seed
from pipeline.core.seeding import derive
from pipeline.shapes import drawing


def _drawable(shape: str) -> str:
    if shape not in drawing.SHAPES:
        raise ValueError(f"accepted: {', '.join(drawing.SHAPES)}")
    return shape


Names = Annotated[list[Annotated[str, AfterValidator(_drawable)]], Field(min_length=1)]


class Counts(Section):
    """Images of every class."""

    train: Count
    validation: Count
    test: Count


class Outliers(Section):
    """Shapes that are none of the classes; none of `validation` is in `train`."""

    train: Names
    validation: Names


class Draw(Section):
    """`unknown` are for the test alone.

    `seed` is the images' own, so that replicates with other seeds share them.
    """

    size: Annotated[int, Field(ge=32, le=256)]
    source: Annotated[Names, Field(min_length=2)]
    target: Annotated[Names, Field(min_length=2)]
    outliers: Outliers
    unknown: Names
    images: Counts
    seed: Seed

    @model_validator(mode="after")
    def _distinct(self) -> "Draw":
        outliers = [*self.outliers.train, *self.outliers.validation]
        names = [*self.source, *self.target, *outliers, *self.unknown]
        if twice := [name for name, count in Counter(names).items() if count > 1]:
            raise ValueError(
                f"{twice[0]} is named twice among source, target, outliers and unknown"
            )
        return self


def main(draw: Draw) -> None:
    parts = [
        (draw, task, part, names, count)
        for task, names in {"source": draw.source, "target": draw.target}.items()
        for part, count in draw.images.model_dump().items()
    ]
    parts += [
        (draw, "outlier", "train", draw.outliers.train, draw.images.train),
        (draw, "outlier", "validation", draw.outliers.validation, draw.images.validation),
        (draw, "unknown", "test", draw.unknown, draw.images.test),
    ]
    parts.sort(key=lambda part: len(part[3]) * part[4], reverse=True)  # so that no core waits
    context = get_context("forkserver")
    context.set_forkserver_preload([drawing.__name__])
    with ProcessPoolExecutor(process.workers(), context, process.end_with_parent) as pool:
        for drawn in [pool.submit(save, *part) for part in parts]:
            drawn.result()


def save(draw: Draw, task: str, part: str, names: list[str], count: int) -> None:
    """Draws and saves one part of one task."""
    seed = derive(draw.seed, "shapes", task, part)
    images, labels = drawing.images(names, count, draw.size, seed)
    Labelled(images, labels, names, []).save(f"data/shapes/images/{task}_{part}")
