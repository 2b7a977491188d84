"""The models of a run side by side: what each says of a picture, at any strength."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock

import numpy as np
import numpy.typing as npt

from pipeline.app.models import Answer, Predictor
from pipeline.app.serve import drawing
from pipeline.app.taught import Taught
from pipeline.core import artifacts
from pipeline.core.errors import InputError
from pipeline.core.labelled import closest
from pipeline.new_class.evaluation import card
from pipeline.scoring.names import title
from pipeline.sources import catalogue, pictures

SIDE = 280
"""Pixels a side of which a digit is looked for."""
REMEMBERED = 64
"""Models at other strengths than the chosen one that are kept."""


@dataclass(frozen=True)
class Method:
    """A method that can be compared with the base.

    Attributes:
        name: of its script.
        title: for people.
        strength: the chosen one; None if it has none.
        curve: test accuracy on `old` and `new` classes at each `strength`.
    """

    name: str
    title: str
    strength: float | None
    curve: list[dict[str, float]]


@dataclass(frozen=True)
class About:
    """What is compared.

    Attributes:
        classes: the names of all classes.
        new: those that the base was not taught.
        digits: whether pictures are brought to the form of digits, white on black.
        size: pixels a side of what the models see.
        methods: that can be compared with the base.
    """

    classes: list[str]
    new: list[str]
    digits: bool
    size: int
    methods: list[Method]


@dataclass(frozen=True)
class Answers:
    """What the models say of a picture; `taught` is the base with a class of one's own."""

    base: Answer
    method: Answer
    taught: Answer | None


class Comparison:
    """The base and the methods of a finished run.

    Args:
        methods: their names; those that the run left out are passed over.

    Raises:
        InputError: if there are none, or the run is not finished, or one on rows of a table.
    """

    def __init__(self, methods: Sequence[str]):
        if not methods:
            raise InputError("params.yaml: methods is []: nothing stands beside the base")
        self.base = Predictor.load()
        self._form = self.base.form
        compared = [name for name in methods if name in self.base.card.models]
        if not compared:
            raise InputError(
                f"{card.PATH}: tells of no method of params.yaml ({', '.join(methods)}): nothing "
                "stands beside the base"
            )
        self._methods = {name: Predictor.load(name) for name in compared}
        self._height = drawing.HEIGHTS.get(self.base.card.source)
        self._at: OrderedDict[tuple[str, float], Predictor] = OrderedDict()
        self._lock = Lock()
        self.about = self._about()

    def prepare(self, picture: bytes) -> npt.NDArray[np.uint8]:
        """Brings a picture to the form of the training images: `(channels, size, size)`.

        Raises:
            InputError: if it is no picture, or there is nothing on it.
        """
        name = "the picture"
        if self._height is None:
            return self.base.prepare(picture, name)
        side = min(pictures.header(picture, name).side, SIDE)
        large = pictures.read(picture, side, 1, "crop", name)
        # In the source's form first, and from that to another by what brought its images there.
        drawn = drawing.digit(large, catalogue.FORM[1], self._height)
        return np.array(pictures.resized(drawn, *self._form))  # a copy that may be written to

    def answers(
        self, image: npt.NDArray[np.uint8], method: str, strength: float | None, own: Taught | None
    ) -> Answers:
        """What the base, a method, and the base with a class of one's own say of an image.

        Raises:
            InputError: if there is no such method, or it has no strength.
        """
        images = image[np.newaxis]
        return Answers(
            self.base.answers(images)[0],
            self._model(method, strength).answers(images)[0],
            own.answers(self.base, images)[0] if own else None,
        )

    def _model(self, method: str, strength: float | None) -> Predictor:
        if method not in self._methods:
            raise InputError(f"no method {method}; {closest(method, list(self._methods))}")
        model = self._methods[method]
        if strength is None or strength == model.strength:
            return model
        key = (method, round(strength, 2))
        with self._lock:
            if key not in self._at:
                self._at[key] = model.at_strength(key[1])
                if len(self._at) > REMEMBERED:
                    self._at.popitem(last=False)
            self._at.move_to_end(key)
            return self._at[key]

    def _about(self) -> About:
        table = artifacts.load_records("plots/new_class/tables/strength.csv")
        methods = [
            Method(
                name,
                title(name),
                model.strength,
                [
                    {
                        "strength": row["strength"],
                        "old": row["accuracy_old"],
                        "new": row["accuracy_new"],
                    }
                    for row in table
                    if row["method"] == name and row["data"] == "test"
                ],
            )
            for name, model in self._methods.items()
        ]
        classes = self.base.classes
        new = [classes[place] for place in self.base.new]
        return About(classes, new, self._height is not None, self._form.size, methods)
