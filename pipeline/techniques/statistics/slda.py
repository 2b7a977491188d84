"""Streaming linear discriminant analysis (arXiv 1909.01520): means, and one covariance for all."""

from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from pipeline.core import artifacts
from pipeline.techniques.statistics import symmetric

KIND = "means and scatter of classes"


class Moments(NamedTuple):
    """What linear discriminant analysis needs of the images seen so far.

    Attributes:
        labels: `(k,)`, int64: the classes.
        counts: `(k,)`, int64: images of each.
        means: `(k, width)`, float64.
        scatter: `(width, width)`, float64: Σ (x − μ)(x − μ)ᵀ, μ the mean of the image's class.
    """

    labels: Tensor
    counts: Tensor
    means: Tensor
    scatter: Tensor

    @classmethod
    def of(cls, features: Tensor, labels: Tensor) -> "Moments":
        """Those of features `(n, width)` and their labels `(n,)`."""
        inputs = features.cpu().double()
        classes, place, counts = labels.cpu().unique(return_inverse=True, return_counts=True)
        means = torch.stack([inputs[place == number].mean(0) for number in range(len(classes))])
        inputs = inputs - means[place]
        return cls(classes, counts, means, inputs.T @ inputs)

    @classmethod
    def nothing(cls, width: int) -> "Moments":
        """Those of no class, of which nothing was kept."""
        none = torch.zeros(0, dtype=torch.int64)
        means, scatter = (torch.zeros(n, width, dtype=torch.float64) for n in (0, width))
        return cls(none, none.clone(), means, scatter)

    def plus(self, other: "Moments") -> "Moments":
        """Those of these classes and of others."""
        return Moments(
            torch.cat([self.labels, other.labels]),
            torch.cat([self.counts, other.counts]),
            torch.cat([self.means, other.means]),
            self.scatter + other.scatter,
        )

    def classifier(self, shrinkage: float) -> tuple[Tensor, Tensor, Tensor]:
        """The weight `(k, width)` and the bias `(k,)` of the classifier, and its classes `(k,)`.

        With the covariance Σ, shrunk towards that part of the identity matrix which has the same
        trace, they are Σ⁻¹ μ and −½ μᵀ Σ⁻¹ μ: all classes are equally likely.
        """
        covariance = self.scatter / self.counts.sum()
        width = len(covariance)
        shrunk = (1 - shrinkage) * covariance
        shrunk.diagonal().add_(shrinkage * covariance.trace() / width)
        order = self.labels.argsort()
        means = self.means[order]
        weight = torch.linalg.solve(shrunk, means.T).T
        return weight, -(weight * means).sum(1) / 2, self.labels[order]

    def save(self, path: Path | str) -> None:
        """Saves to a safetensors file, rounded to float32, of the scatter but the upper half."""
        arrays = self._asdict() | {
            "means": self.means.float(),
            "scatter": symmetric.half(self.scatter).float(),
        }
        artifacts.save_tensors(path, arrays, {"kind": KIND})

    @classmethod
    def load(cls, path: Path | str) -> "Moments":
        """Loads what `save` saved."""
        arrays, _ = artifacts.load_tensors(path, KIND)
        labels, counts, means, half = (torch.from_numpy(arrays[name]) for name in cls._fields)
        scatter = symmetric.whole(half.double(), means.shape[1])
        return cls(labels, counts, means.double(), scatter)
