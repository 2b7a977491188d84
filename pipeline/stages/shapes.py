"""Draws the shapes: source and target classes and others, each part from a seed of its own."""

from collections import Counter
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from pipeline import drawing
from pipeline.datasets import Labelled
from pipeline.params import Count, Section, Seed
from pipeline.seeding import derive


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


class Shapes(Section):
    """`unknown` are for the test alone.

    `seed` is the images' own, so that replicates with other seeds share them.
    """

    size: Annotated[int, Field(ge=32)]
    source: Annotated[Names, Field(min_length=2)]
    target: Annotated[Names, Field(min_length=2)]
    outliers: Outliers
    unknown: Names
    images: Counts
    seed: Seed

    @model_validator(mode="after")
    def _distinct(self) -> "Shapes":
        outliers = [*self.outliers.train, *self.outliers.validation]
        names = [*self.source, *self.target, *outliers, *self.unknown]
        if twice := [name for name, count in Counter(names).items() if count > 1]:
            raise ValueError(
                f"{twice[0]} is named twice among source, target, outliers and unknown"
            )
        return self


def main(shapes: Shapes) -> None:
    for task, names in {"source": shapes.source, "target": shapes.target}.items():
        for part, count in shapes.images.model_dump().items():
            draw(shapes, task, part, names, count)
    draw(shapes, "outlier", "train", shapes.outliers.train, shapes.images.train)
    draw(shapes, "outlier", "validation", shapes.outliers.validation, shapes.images.validation)
    draw(shapes, "unknown", "test", shapes.unknown, shapes.images.test)


def draw(shapes: Shapes, task: str, part: str, names: list[str], count: int) -> None:
    """Draws and saves one part of one task."""
    seed = derive(shapes.seed, "shapes", task, part)
    images, labels = drawing.images(names, count, shapes.size, seed)
    Labelled(images, labels, names, []).save(f"data/shapes/{task}_{part}.safetensors")
