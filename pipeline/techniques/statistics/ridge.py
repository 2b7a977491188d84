"""Ridge regression on random features, from sums that grow class by class.

RanPAC (arXiv 2307.02251) and ACIL (arXiv 2205.14922): a frozen random layer widens the features,
and the least-squares classifier on it follows in closed form from sums over the images, so that
new classes are added without the old images, and the result is that of all data at once.
"""

import math
from pathlib import Path
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from pipeline.core import artifacts
from pipeline.techniques.statistics import symmetric

KIND = "sums and counts for ridge regression"
CHUNK = 6000
"""Images widened at a time, to spare memory."""
ROUNDING = torch.finfo(torch.float32).eps / 2
"""By what share a number may change when it is saved."""
ROWS = 500
"""Rows of the Gram matrix computed at a time, each from the diagonal on: the rest mirrors it."""


class Projection(NamedTuple):
    """The frozen random layer `relu(W x + b)`, of which the seed is all that need be kept."""

    seed: int
    width: int

    def layer(self, inputs: int) -> tuple[Tensor, Tensor]:
        """W `(width, inputs)`, of variance 1 / inputs, and b `(width,)`, of deviation 0.1."""
        generator = torch.Generator().manual_seed(self.seed)
        weight = torch.randn(self.width, inputs, generator=generator) / inputs**0.5
        return weight, torch.randn(self.width, generator=generator) / 10

    def __call__(self, features: Tensor) -> Tensor:
        """Widens features `(n, inputs)`, float32, to `(n, width)`, float64."""
        weight, bias = self.layer(features.shape[1])
        return F.linear(features.cpu(), weight, bias).relu().double()


class Sums(NamedTuple):
    """All that ridge regression needs of the images seen so far.

    Float64, because the ridge is many orders of magnitude smaller than the largest eigenvalue of
    the Gram matrix; what is kept on disk is rounded to float32.

    Attributes:
        gram: `(width, width)`: Σ φ φᵀ.
        moments: `(width, classes)`: Σ φ yᵀ, y one-hot.
        counts: `(classes,)`, int64: images of each class.
    """

    gram: Tensor
    moments: Tensor
    counts: Tensor

    @classmethod
    def of(cls, projection: Projection, features: Tensor, labels: Tensor, classes: int) -> "Sums":
        """Sums over images: their features `(n, inputs)` and labels `(n,)`."""
        gram = torch.zeros(projection.width, projection.width, dtype=torch.float64)
        moments = torch.zeros(projection.width, classes, dtype=torch.float64)
        for part, of_class in zip(features.split(CHUNK), labels.cpu().split(CHUNK), strict=True):
            widened = projection(part)
            for row in range(0, projection.width, ROWS):
                gram[row : row + ROWS, row:] += widened[:, row : row + ROWS].T @ widened[:, row:]
            moments += widened.T @ F.one_hot(of_class, classes).double()
        counts = torch.bincount(labels.cpu(), minlength=classes)
        return cls(gram.triu() + gram.triu(1).T, moments, counts)

    @classmethod
    def nothing(cls, classes: int) -> tuple["Sums", Projection]:
        """Those over no images, of which nothing was kept."""
        zeros = torch.zeros(1, 1, dtype=torch.float64)
        counts = torch.zeros(classes, dtype=torch.int64)
        return cls(zeros, zeros.expand(1, classes).clone(), counts), Projection(0, 1)

    def plus(self, other: "Sums") -> "Sums":
        """The sums over the images of both."""
        return Sums(*(mine + its for mine, its in zip(self, other, strict=True)))

    def minus(self, other: "Sums") -> "Sums":
        """The sums without those over some of the images: what they are if these never were seen.

        Of a class whose images are all among these nothing is left, not even of rounding.
        """
        counts = self.counts - other.counts
        moments = (self.moments - other.moments).masked_fill(counts == 0, 0)
        return Sums(self.gram - other.gram, moments, counts)

    def solve(self, ridge: float) -> Tensor:
        """The classifier W `(classes, width)` that minimises Σ |y − W φ|² + ridge · |W|²."""
        weight: Tensor = torch.cholesky_solve(self.moments, self._factor(ridge))
        return weight.T

    def cross_validated(self, ridge: float) -> float:
        """The mean squared error |y − W φ|² by generalised cross-validation.

        It stands for that on images that the classifier has not learned from, and needs none:
        n Σ |y − W φ|² / (n − d)², where n is the number of images, d = tr(G (G + ridge · I)⁻¹), and
        G the Gram matrix (Golub, Heath and Wahba 1979, doi 10.1080/00401706.1979.10489751).
        Infinite where sums that are kept as float32 can't tell it: after a nearly exact fit.
        """
        try:
            factor = self._factor(ridge)
        except torch.linalg.LinAlgError:  # type: ignore[attr-defined]
            return math.inf
        weight = torch.cholesky_solve(self.moments, factor)
        images = int(self.counts.sum())
        error = images - (weight * (2 * self.moments - self.gram @ weight)).sum()
        freedom = len(self.gram) - ridge * torch.cholesky_inverse(factor).trace()
        size = weight.abs()
        rounding = (size * (self.gram.abs() @ size + 2 * self.moments.abs())).sum() * ROUNDING
        if error <= rounding or freedom >= images:
            return math.inf
        return float(images * error / (images - freedom) ** 2)

    def _factor(self, ridge: float) -> Tensor:
        """That of Cholesky, of the Gram matrix with the ridge on its diagonal."""
        diagonal = ridge * torch.eye(len(self.gram), dtype=self.gram.dtype)
        factor: Tensor = torch.linalg.cholesky(self.gram + diagonal)
        return factor

    def first(self, width: int) -> "Sums":
        """The sums of the first `width` random features alone."""
        return Sums(self.gram[:width, :width], self.moments[:width], self.counts)

    def save(self, path: Path | str, seed: int) -> None:
        """Saves the sums, of the symmetric one but the upper half, and the projection's seed."""
        sums = {"gram": symmetric.half(self.gram).float(), "moments": self.moments.float()}
        about = {"kind": KIND, "seed": seed}
        artifacts.save_tensors(path, sums | {"counts": self.counts}, about)

    @classmethod
    def load(cls, path: Path | str) -> tuple["Sums", Projection]:
        """Loads what `save` saved."""
        arrays, about = artifacts.load_tensors(path, KIND)
        moments = torch.from_numpy(arrays["moments"]).double()
        gram = symmetric.whole(torch.from_numpy(arrays["gram"]).double(), len(moments))
        counts = torch.from_numpy(arrays["counts"])
        return cls(gram, moments, counts), Projection(about["seed"], len(moments))
