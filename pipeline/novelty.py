"""Is this image of a class that the model knows? Scores, higher for the known."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from sklearn import metrics
from torch import Tensor

from pipeline import artifacts, training
from pipeline.models import Classifier

KIND = "scores of known images"
RECALL = 0.95
"""Share of known validation images that a threshold lets pass."""

SCORE = "combined"
"""What decides whether an image is called unknown: one part sees what the other misses."""

Scores = dict[str, Tensor]


@dataclass(frozen=True)
class Novelty:
    """Tells known from unknown by a model and features that it has seen in training.

    Attributes:
        model: of square images.
        bank: `(n, width)`, float32: features of training images.
        known: of every score, its values on known validation images, ascending, float64.
    """

    model: Classifier
    bank: Tensor
    known: Mapping[str, Tensor]

    @classmethod
    def fitted(
        cls, model: Classifier, training_images: Tensor, validation_images: Tensor
    ) -> "Novelty":
        """Takes the bank from training images and the values of the scores from validation ones."""
        bank = training.predict(model.trunk, training_images)
        plain = _plain(model, bank, validation_images)
        known = {name: values.sort().values for name, values in plain.items()}
        known["combined"] = _combined(known, plain).sort().values
        return cls(model, bank, known)

    def scores(self, images: Tensor) -> Scores:
        """Scores images `(n, channels, h, h)`.

        Returns:
            `(n,)`, float64, of each:
            `softmax`, the largest probability (arXiv 1610.02136);
            `energy`, the logarithm of the sum of exponentials of the logits (arXiv 2010.03759);
            `views`, the largest probability of their mean over the eight ways to turn the image;
            `nearest`, the cosine similarity to the nearest of the bank (arXiv 2204.06507);
            `combined`, the smaller of the ranks of `views` and `nearest` among known images.
        """
        plain = _plain(self.model, self.bank, images)
        return plain | {"combined": _combined(self.known, plain)}

    def threshold(self, score: str = SCORE) -> float:
        """The value that a share `RECALL` of the known validation images reaches."""
        return float(self.known[score].quantile(1 - RECALL))

    def save(self, path: Path | str) -> None:
        """Saves the bank and the values, without the model.

        Raises:
            InputError: if the file can't be written.
        """
        artifacts.save_tensors(path, {"bank": self.bank.cpu(), **self.known}, {"kind": KIND})

    @classmethod
    def load(cls, path: Path | str, model: Classifier, device: torch.device) -> "Novelty":
        """Loads what `save` saved, for the same model.

        Raises:
            InputError: if the file is missing, damaged or of another kind.
        """
        arrays, _ = artifacts.load_tensors(path, KIND)
        tensors = {name: torch.from_numpy(array) for name, array in arrays.items()}
        return cls(model.to(device), tensors.pop("bank").to(device), tensors)


def detection(known: Tensor, unknown: Tensor) -> dict[str, float]:
    """How well a score tells known from unknown images.

    Returns:
        `auroc`, the area under the ROC curve, and `fpr95`, the share of unknown images that pass
        where 95 % of the known ones do: fractions.
    """
    is_known = torch.cat([torch.ones(len(known)), torch.zeros(len(unknown))]).numpy()
    scores = torch.cat([known, unknown]).numpy()
    false_positives, true_positives, _ = metrics.roc_curve(
        is_known, scores, drop_intermediate=False
    )
    return {
        "auroc": metrics.auc(false_positives, true_positives),
        "fpr95": false_positives[(true_positives >= RECALL).argmax()],
    }


def _plain(model: Classifier, bank: Tensor, images: Tensor) -> Scores:
    logits, features = training.predict(model, images), training.predict(model.trunk, images)
    turned = [
        training.predict(model, training.turned(images, view)) for view in range(training.VIEWS)
    ]
    scores = {
        "softmax": logits.softmax(1).amax(1),
        "energy": logits.logsumexp(1),
        "views": torch.stack([view.softmax(1) for view in turned]).mean(0).amax(1),
        "nearest": (F.normalize(features) @ F.normalize(bank).T).amax(1),
    }
    return {name: values.double().cpu() for name, values in scores.items()}


def _combined(known: Mapping[str, Tensor], plain: Scores) -> Tensor:
    ranks = [
        torch.searchsorted(known[name], plain[name], right=True) / len(known[name])
        for name in ("views", "nearest")
    ]
    return torch.minimum(*ranks).double()
