"""A trained model for use: pictures in, answers out, with the preprocessing of its training."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from pipeline.core.errors import InputError
from pipeline.core.labelled import closest
from pipeline.learning import training
from pipeline.learning.networks import Classifier
from pipeline.new_class import results
from pipeline.new_class.evaluation import card, learned
from pipeline.new_class.evaluation.card import Card, Known
from pipeline.sources import pictures
from pipeline.sources.decoding import Form
from pipeline.techniques.strength import interpolate


@dataclass(frozen=True)
class Answer:
    """What a model says of one picture.

    Attributes:
        name: of the most probable class.
        probability: of it.
        known: whether the score reaches the threshold that is stored with the model; an answer
            that doesn't is `unknown`.
        probabilities: of all classes, by their names.
    """

    name: str
    probability: float
    known: bool
    probabilities: dict[str, float]


@dataclass(frozen=True)
class Predictor:
    """A model of a finished run.

    Attributes:
        method: its name; `base` is the model before.
        card: the classes, the form of a picture, the thresholds.
        model: at its strength, ready to predict, on the CPU.
        strength: how far `model` is from the base (0) to as trained (1); None if the method has
            no strength.
        ends: the base and the model as trained, if the method has a strength.
    """

    method: str
    card: Card
    model: Classifier
    strength: float | None = None
    ends: tuple[Classifier, Classifier] | None = None

    @classmethod
    def load(cls, method: str = "base") -> "Predictor":
        """Loads a model from `data/`, at its chosen strength.

        Raises:
            InputError: if the run has no such method, or is not finished.
        """
        told = Card.load()
        if method not in told.models:
            raise InputError(
                f"{card.PATH}: tells of no method {method}; {closest(method, list(told.models))}"
            )
        folder = results.BASE if method == "base" else results.METHODS / method
        if card.weights(folder) != told.models[method].weights:
            raise InputError(
                f"{folder}: another model than {card.PATH} tells of; `dvc repro evaluate` "
                "brings them together"
            )
        base, *others = learned.load([] if method == "base" else [method])
        chosen = others[0] if others else base
        if chosen.tuned is None:
            return cls(method, told, chosen.model)
        return cls(method, told, chosen.model, chosen.facts["strength"], (base.model, chosen.tuned))

    @property
    def taught(self) -> list[str]:
        """The names of the classes that the model was taught."""
        untaught = self.new if self.method == "base" else []
        return [name for label, name in enumerate(self.classes) if label not in untaught]

    @property
    def classes(self) -> list[str]:
        """The names of all classes."""
        return self.card.classes

    @property
    def new(self) -> list[int]:
        """The indices of the classes that the base was not taught."""
        return self.card.new

    @property
    def size(self) -> int:
        """Pixels a side."""
        return self.form.size

    @property
    def channels(self) -> int:
        """1 (grey) or 3 (colours)."""
        return self.form.channels

    @property
    def form(self) -> Form:
        """What a picture is brought to.

        Raises:
            InputError: if the model takes rows of a table.
        """
        if len(self.card.shape) != 3:
            raise InputError("the model of this run takes rows of a table, not pictures")
        channels, size, _ = self.card.shape
        return Form(size, channels, self.card.fit)

    def prepare(self, picture: Path | bytes, name: str = "") -> npt.NDArray[np.uint8]:
        """Decodes a picture, and brings it to the form of the training images.

        Args:
            picture: a file, or its content.
            name: of the picture, for messages.

        Returns:
            `(channels, size, size)`.

        Raises:
            InputError: if it is no picture, cut short, or too large.
        """
        return pictures.read(picture, *self.form, name=name)

    def features(self, images: npt.NDArray[np.uint8]) -> Tensor:
        """The trunk's output for images `(n, channels, size, size)`: `(n, width)`, float32."""
        return training.predict(self.model.trunk, torch.from_numpy(images))

    def logits(self, images: npt.NDArray[np.uint8]) -> Tensor:
        """The logits of images `(n, channels, size, size)`: `(n, classes)`, float32."""
        return training.predict(self.model, torch.from_numpy(images))

    def answers(self, images: npt.NDArray[np.uint8]) -> list[Answer]:
        """The answers for images `(n, channels, size, size)`."""
        return answers(self.logits(images), self.classes, self.card.models[self.method].known)

    def at_strength(self, strength: float) -> "Predictor":
        """The model at another strength: 0 is the base, 1 the model as trained.

        Its threshold is that of the chosen strength.

        Raises:
            InputError: if the method has no strength.
        """
        if self.ends is None:
            raise InputError(f"{self.method} has no strength")
        return replace(self, model=interpolate(*self.ends, strength), strength=strength)


def answers(logits: Tensor, classes: Sequence[str], known: Known) -> list[Answer]:
    """What logits `(n, classes)` say: an answer for each row.

    Args:
        logits: of a model.
        classes: their names.
        known: when the model's answers count.
    """
    probabilities = logits.double().softmax(1)
    return [
        Answer(classes[place], row[place], passed, dict(zip(classes, row, strict=True)))
        for place, row, passed in zip(
            probabilities.argmax(1).tolist(),
            probabilities.tolist(),
            known.passes(logits).tolist(),
            strict=True,
        )
    ]
