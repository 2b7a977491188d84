"""What each model answers for each test image, and how sure it is: one row an image."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from torch import Tensor

from pipeline.core import artifacts
from pipeline.core.errors import InputError
from pipeline.core.labelled import Labelled, closest

PATH = Path("data/new_class/answers.safetensors")
KIND = "answers"


@dataclass(frozen=True)
class Answers:
    """The answers of a model.

    Attributes:
        actual: `(n,)`, the right classes, indices into `classes`.
        predicted: `(n,)`, those that the model takes the images for.
        confidence: `(n,)`, its largest probabilities.
        classes: the names of all classes.
        new: indices of those that the base was not taught.
    """

    actual: npt.NDArray[np.int64]
    predicted: npt.NDArray[np.int64]
    confidence: npt.NDArray[np.float64]
    classes: list[str]
    new: list[int]

    @classmethod
    def of(cls, logits: Tensor, data: Labelled) -> "Answers":
        """The answers to some images, by the logits `(n, classes)`."""
        confidence, predicted = logits.double().softmax(1).max(1)
        return cls(data.labels, predicted.numpy(), confidence.numpy(), data.classes, data.new)


def save(logits: Mapping[str, Tensor], test: Labelled) -> None:
    """Saves the answers of models, by their logits `(n, classes)`."""
    arrays = {"actual": test.labels.astype(np.int32)}
    for name, values in logits.items():
        given = Answers.of(values, test)
        arrays[f"predicted {name}"] = given.predicted.astype(np.int32)
        arrays[f"confidence {name}"] = given.confidence.astype(np.float32)
    about = {"kind": KIND, "classes": test.classes, "new": test.new, "models": list(logits)}
    artifacts.save_tensors(PATH, arrays, about)


def load(*names: str) -> list[Answers]:
    """Loads the answers of some models.

    Raises:
        InputError: if one is not among those of the last run.
    """
    arrays, about = artifacts.load_tensors(PATH, KIND)
    for name in names:
        if name not in about["models"]:
            raise InputError(f"{PATH}: no model {name}; {closest(name, about['models'])}")
    return [
        Answers(
            arrays["actual"].astype(np.int64),
            arrays[f"predicted {name}"].astype(np.int64),
            arrays[f"confidence {name}"].astype(np.float64),
            about["classes"],
            about["new"],
        )
        for name in names
    ]
