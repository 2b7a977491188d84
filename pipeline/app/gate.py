"""`python -m pipeline gate` tells whether a model may take the place of another."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pipeline.app import layout
from pipeline.app.arguments import Parser
from pipeline.app.models import Predictor
from pipeline.core.errors import InputError
from pipeline.core.labelled import closest
from pipeline.new_class.evaluation import answers
from pipeline.new_class.evaluation.answers import Answers
from pipeline.scoring import measures
from pipeline.scoring.tables import Table, markdown, percent
from pipeline.sources import decoding, tree
from pipeline.sources.classes import named, unambiguous
from pipeline.sources.decoding import Picture
from pipeline.sources.messages import readable

Mask = npt.NDArray[np.bool_]


def _share(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text} is no share; 0 to 1 accepted")
    return value


_share.__name__ = "number"
PARSER = Parser(
    "gate",
    "Compares the answers of two models image by image, and refuses the second where it breaks "
    "too much. Old classes are those that the first was taught. A negative flip is an image that "
    "the first has right and the second wrong.",
    "The images are those of the test, whose answers `evaluate` has written, or pictures in one "
    "folder a class. The exit code is 1 if a limit is passed, 0 if none is.",
)
PARSER.add_argument(
    "--from", dest="before", required=True, metavar="MODEL", help="the model of now: base, a "
    "method, or with --images a folder that `export` made",
)  # fmt: skip
PARSER.add_argument(
    "--to", dest="after", required=True, metavar="MODEL", help="the model that would follow"
)
PARSER.add_argument(
    "--flips", type=_share, default=0.003, metavar="SHARE",
    help="most negative flips, of the images of old classes (default: 0.003)",
)  # fmt: skip
PARSER.add_argument(
    "--old", type=_share, metavar="SHARE",
    help="least accuracy on old classes afterwards (default: any)",
)  # fmt: skip
PARSER.add_argument("--images", type=Path, metavar="FOLDER", help="labelled pictures")


@dataclass(frozen=True)
class Change:
    """What a model has right before and after, image by image.

    Attributes:
        before: the answers of the one.
        after: those of the other to the same images, in the same classes.
        old: `(n,)`, which images are of classes that the one was taught.
    """

    before: Answers
    after: Answers
    old: Mask

    @property
    def was_right(self) -> Mask:
        """`(n,)`: the images that the one has right."""
        return np.equal(self.before.predicted, self.before.actual)

    @property
    def is_right(self) -> Mask:
        """`(n,)`: the images that the other has right."""
        return np.equal(self.after.predicted, self.after.actual)

    def table(self) -> Table:
        """A row for each class, for the old ones and for all."""
        rows = [
            [
                "class", "images", "before, %", "after, %", "negative flips", "positive flips",
                "McNemar's p", "calibration error before", "after",
            ]
        ]  # fmt: skip
        for label, name in enumerate(self.after.classes):
            part = self.after.actual == label
            if part.any():
                new = "" if self.old[part].any() else " (new)"
                rows.append([f"{readable(name)}{new}", *self._counted(part), "", "", ""])
        for name, part in (("old classes", self.old), ("all classes", np.ones_like(self.old))):
            rows.append([name, *self._counted(part), *self._tested(part)])
        return rows

    def worst(self) -> str:
        """The class with the lowest accuracy afterwards, in words."""
        present = np.unique(self.after.actual)
        accuracy = [self.is_right[self.after.actual == label].mean() for label in present]
        label = present[int(np.argmin(accuracy))]
        before = self.was_right[self.after.actual == label].mean()
        return (
            f"worst class: {readable(self.after.classes[label])}, "
            f"{percent(before)} % before, {percent(min(accuracy))} % after"
        )

    def _counted(self, part: Mask) -> list[str]:
        was, now = self.was_right[part], self.is_right[part]
        flips = (was & ~now).sum(), (now & ~was).sum()
        return [
            f"{part.sum():,}", percent(was.mean()), percent(now.mean()), *(f"{n:,}" for n in flips),
        ]  # fmt: skip

    def _tested(self, part: Mask) -> list[str]:
        was, now = self.was_right[part], self.is_right[part]
        errors = (
            measures.calibration_error(given.confidence[part], hits)
            for given, hits in ((self.before, was), (self.after, now))
        )
        return [f"{measures.mcnemar(was, now)['p_value']:.2g}", *(f"{e:.4f}" for e in errors)]


def main(words: list[str]) -> int:
    """Prints the comparison.

    Returns:
        1 if a limit is passed, 0 if none is.

    Raises:
        InputError: if the words are refused, or a model or an image can't be read.
    """
    given = PARSER.parse_args(words)
    change = (
        of_images(given.before, given.after, given.images)
        if given.images
        else of_test(given.before, given.after)
    )
    if not change.old.any():
        raise InputError(f"no image of a class that {given.before} was taught")
    print(f"{markdown(change.table())}\n\n{change.worst()}")
    old = int(change.old.sum())
    flips = int((change.was_right & ~change.is_right & change.old).sum())
    right = int((change.is_right & change.old).sum())
    # Quotients, as these are rounded just like the shares that were given, and products are not.
    refused = flips / old > given.flips
    print(
        f"negative flips: {flips:,} of {old:,} images of old classes ({flips / old:.2%}), "
        f"at most {given.flips:.2%} accepted: {_verdict(refused)}"
    )
    if given.old is not None:
        too_few = right / old < given.old
        refused |= too_few
        print(
            f"accuracy on old classes: {right:,} of {old:,} ({right / old:.2%}), "
            f"at least {given.old:.2%} accepted: {_verdict(too_few)}"
        )
    return int(refused)


def _verdict(refused: bool) -> str:
    return "refused" if refused else "passed"


def of_test(before: str, after: str) -> Change:
    """The answers that `evaluate` wrote.

    Raises:
        InputError: if it wrote none of one of these models.
    """
    for word in (before, after):
        if Path(word).is_dir():
            raise InputError(f"{word} is a folder, for which --images FOLDER is needed")
    one, other = answers.load(before, after)
    untaught = one.new if before == "base" else []
    return Change(one, other, ~np.isin(one.actual, untaught))


def of_images(before: str, after: str, folder: Path) -> Change:
    """The answers to pictures in one folder a class.

    Raises:
        InputError: if a model or a picture can't be read, or a folder has the name of no class.
    """
    one, other = layout.named(before), layout.named(after)
    if not folder.is_dir():
        raise InputError(f"{readable(str(folder))}: no folder; one with a folder a class accepted")
    pictures, official = tree.pictures(folder)
    if official or not pictures:
        found = (
            "has parts train and test; name one of them" if official else "no picture of a class"
        )
        raise InputError(f"{readable(str(folder))}: {found}")
    classes = list(dict.fromkeys([*other.classes, *one.classes]))
    folders = [picture.name.split("/")[0] for picture in pictures]
    unambiguous(folders, readable(str(folder)))
    names = [named(name) for name in folders]
    for name in dict.fromkeys(names):
        if name not in classes:
            raise InputError(
                f"{readable(f'{folder}/{name}')}: no class of the models; {closest(name, classes)}"
            )
    actual = np.array([classes.index(name) for name in names])
    changes = [_answers(each, pictures, actual, classes) for each in (one, other)]
    taught = [classes.index(name) for name in one.taught]
    return Change(changes[0], changes[1], np.isin(actual, taught))


def _answers(
    predictor: Predictor,
    pictures: Sequence[Picture],
    actual: npt.NDArray[np.int64],
    classes: list[str],
) -> Answers:
    place = np.array([classes.index(name) for name in predictor.classes])
    parts = [
        predictor.logits(images).double().softmax(1).max(1)
        for images in decoding.decoded(pictures, predictor.form)
    ]
    confidence = np.concatenate([part.values.numpy() for part in parts])
    predicted = place[np.concatenate([part.indices.numpy() for part in parts])]
    return Answers(actual, predicted, confidence, classes, [])
