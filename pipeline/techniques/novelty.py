"""Is this image of a class that the model knows? Scores of its logits, higher for the known.

They take the logits of an image in all the ways to turn and mirror it, as `views` gives them.
"""

from dataclasses import dataclass
from pathlib import Path

import torch
from sklearn import metrics
from torch import Tensor

from pipeline.core import artifacts
from pipeline.learning import augmentation, training
from pipeline.learning.networks import Classifier

KIND = "scores of known images"
RECALL = 0.95
"""Share of known validation images that the threshold lets pass."""


@dataclass(frozen=True)
class Novelty:
    """Tells known from unknown images by one of the `scores`.

    Attributes:
        score: its name.
        known: `(n,)`, float64: its values on known validation images, ascending.
    """

    score: str
    known: Tensor

    @classmethod
    def chosen(cls, known: Tensor, unknown: Tensor) -> "Novelty":
        """Takes the score that parts known from unknown validation images best, by their logits."""
        of_known, of_unknown = scores(known), scores(unknown)
        best = max(of_known, key=lambda name: detection(of_known[name], of_unknown[name])["auroc"])
        return cls(best, of_known[best].sort().values)

    @property
    def threshold(self) -> float:
        """The value that a share `RECALL` of the known validation images reaches."""
        return float(self.known.quantile(1 - RECALL))

    def passes(self, logits: Tensor) -> Tensor:
        """Which images are called known, by their logits: `(n,)`, bool."""
        return scores(logits)[self.score] >= self.threshold

    def save(self, path: Path | str) -> None:
        """Saves to a safetensors file."""
        artifacts.save_tensors(path, {"known": self.known}, {"kind": KIND, "score": self.score})

    @classmethod
    def load(cls, path: Path | str) -> "Novelty":
        """Loads what `save` saved."""
        arrays, about = artifacts.load_tensors(path, KIND)
        return cls(about["score"], torch.from_numpy(arrays["known"]))


def views(model: Classifier, images: Tensor) -> Tensor:
    """The logits of square images in every view, first as they are: `(views, n, classes)`."""
    return torch.stack(
        [
            training.predict(model, augmentation.turned(images, view)).cpu()
            for view in range(augmentation.VIEWS)
        ]
    )


def scores(logits: Tensor) -> dict[str, Tensor]:
    """The scores of images by their logits `(views, n, classes)`.

    Returns:
        `(n,)`, float64, of each: `softmax`, the largest probability (arXiv 1610.02136); `energy`,
        the logarithm of the sum of the exponentials (arXiv 2010.03759), both of the image as it
        is; `views`, the largest probability of the mean over all views.
    """
    logits = logits.double()
    probabilities = logits.softmax(2)
    return {
        "softmax": probabilities[0].amax(1),
        "energy": logits[0].logsumexp(1),
        "views": probabilities.mean(0).amax(1),
    }


def detection(known: Tensor, unknown: Tensor) -> dict[str, float]:
    """How well a score tells known from unknown images.

    Returns:
        `auroc`, the area under the ROC curve, and `fpr95`, the share of unknown images that pass
        where 95 % of the known ones do: fractions.
    """
    is_known = torch.cat([torch.ones(len(known)), torch.zeros(len(unknown))]).numpy()
    values = torch.cat([known, unknown]).numpy()
    false_positives, true_positives, _ = metrics.roc_curve(
        is_known, values, drop_intermediate=False
    )
    return {
        "auroc": metrics.auc(false_positives, true_positives),
        "fpr95": false_positives[(true_positives >= RECALL).argmax()],
    }
