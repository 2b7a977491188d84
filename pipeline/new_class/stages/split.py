"""Parts the training images into old classes, new classes, and validation."""

from typing import Annotated

import numpy as np
from pydantic import AfterValidator, Field

from pipeline.core import artifacts, labelled
from pipeline.core.errors import InputError
from pipeline.core.labelled import Labelled
from pipeline.core.params import ClassName, Count, Section, Seed
from pipeline.sources import parts


def _alike(found: list[str | list[str]]) -> list[str | list[str]]:
    lists = [each for each in found if isinstance(each, list)]
    if lists and (len(lists) < len(found) or not all(lists)):
        raise ValueError("names accepted, or lists of some names each")
    return found


class Split(Section):
    """`new_classes` by their names, or lists of these, which are learned one after another.

    `validation` is a share, `seed` the partition's own.

    At most `new_images` training images of each new class are kept, and `old_images` of each old
    one, drawn by `draw` (null: all), and of a class's held-out ones the share that belongs to so
    many, one at least. Without new classes there is nothing behind the base model, which then knows
    all.
    """

    new_classes: Annotated[list[ClassName | list[ClassName]], AfterValidator(_alike)]
    new_images: Count | None
    old_images: Count | None
    draw: Seed
    validation: float = Field(gt=0, lt=1)
    seed: Seed

    @property
    def steps(self) -> list[list[str]]:
        """The new classes that are learned together, one list after another."""
        lists = [each for each in self.new_classes if isinstance(each, list)]
        return lists or [[name for name in self.new_classes if isinstance(name, str)]]

    def held_out(self, images: int | None) -> int | None:
        """How many images of a class may be held out, if so many are kept to train on.

        What chooses on more has seen more than it is said to have learned from.
        """
        if images is None:
            return None
        return max(1, round(images * self.validation / (1 - self.validation)))

    @property
    def names(self) -> list[str]:
        """All new classes."""
        return [name for step in self.steps for name in step]


def main(split: Split) -> None:
    train = Labelled.load("data/images/train")
    known = artifacts.load_json("data/weights/about.json")["classes"]
    train = train._replace(new=new_classes(split, train.classes, bool(known)))
    chosen, held_out = parts.stratified(
        train.labels, parts.keys(train.inputs), split.validation, split.seed, train.classes
    )
    if len(split.steps) > 1:
        train = train._replace(steps=[labels_of(names, train.classes) for names in split.steps])
    train = train.named(all_classes(train, known or []))
    present = np.unique(train.labels)
    if missing := [
        train.classes[label]
        for label in range(len(train.classes))
        if label not in present and train.classes[label] not in (known or [])
    ]:
        raise InputError(
            f"class {missing[0]} has no training images, and no classifier that knows it is brought"
        )
    of_new, held_out_of_new = train.is_new[chosen], train.is_new[held_out]
    for part, rows, count in (
        ("old_train", chosen[~of_new], split.old_images),
        ("new_train", chosen[of_new], split.new_images),
        ("old_validation", held_out[~held_out_of_new], split.held_out(split.old_images)),
        ("new_validation", held_out[held_out_of_new], split.held_out(split.new_images)),
    ):
        few = labelled.few(train.labels[rows], count, split.draw)
        train.save(f"data/split/{part}", rows[few])


def all_classes(data: Labelled, known: list[str]) -> list[str]:
    """The classes in the order of a base model's logits.

    Args:
        data: with its new classes.
        known: those of a classifier that is brought, in its order; they come first, and a new class
            behind them, if it knows all the old ones.
    """
    old = [name for label, name in enumerate(data.classes) if label not in data.new]
    if not known or not set(old) <= set(known):
        return data.classes
    return [*known, *(name for name in data.classes if name not in known)]


def new_classes(split: Split, classes: list[str], brought: bool) -> list[int]:
    """The indices of the new classes.

    Raises:
        InputError: unless they are some of the classes; all, if a classifier of others is brought.
    """
    new = labels_of(split.names, classes)
    if len(new) == len(classes) and not brought:
        raise InputError("params.yaml: split.new_classes names all classes: no old one is left")
    return new


def labels_of(names: list[str], classes: list[str]) -> list[int]:
    """The indices of new classes."""
    return labelled.indices(names, classes, "split.new_classes")
