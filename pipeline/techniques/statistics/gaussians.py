"""Gaussians in place of images: what is kept of a class, and samples of it."""

import math
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.distributions import Chi2

from pipeline.core import artifacts, labelled
from pipeline.core.labelled import Labelled

KIND = "Gaussians of classes, with their tails"
LEAST, MOST = 4.5, 1000.0
"""Degrees of freedom of the heaviest tails, and of those that hardly differ from a Gaussian's.

Below 4 what they are estimated from has no variance.
"""


class Gaussians(NamedTuple):
    """The features of each class as a normal distribution, but for its tails, which are heavier.

    A class's covariance is approximated by its `rank` largest principal directions and, for what
    they leave, by the variance of each feature. Its tails are those of Student's t distribution
    (multivariate), of the same covariance: samples drawn of a normal one lie too near their mean.

    Attributes:
        labels: `(k,)`, int64: the classes.
        counts: `(k,)`, int64: images of each.
        means: `(k, width)`, float32.
        directions: `(k, rank, width)`, float32, each as long as its standard deviation.
        spreads: `(k, width)`, float32: standard deviations of the rest.
        degrees: `(k,)`, float32: degrees of freedom, from `LEAST` to `MOST`.
    """

    labels: Tensor
    counts: Tensor
    means: Tensor
    directions: Tensor
    spreads: Tensor
    degrees: Tensor

    @classmethod
    def of(cls, features: Tensor, labels: Tensor, rank: int) -> "Gaussians":
        """Estimates the distributions from features `(n, width)` and their labels `(n,)`."""
        classes, counts = labels.unique(return_counts=True)
        estimates = [_estimate(features[labels == label].double(), rank) for label in classes]
        stacked = (torch.stack(parts).float() for parts in zip(*estimates, strict=True))
        return cls(classes, counts, *stacked)

    @classmethod
    def nothing(cls, width: int) -> "Gaussians":
        """Those of no class, of which nothing was kept."""
        none, empty = torch.zeros(0, dtype=torch.int64), torch.zeros(0, width)
        return cls(none, none.clone(), empty, torch.zeros(0, 1, width), empty.clone(), empty[:, 0])

    def joined(self, *others: "Gaussians") -> "Gaussians":
        """These and other classes, of the same rank."""
        return Gaussians(*map(torch.cat, zip(self, *others, strict=True)))

    def sample(self, count: int) -> tuple[Tensor, Tensor]:
        """Draws `count` features of each class: `(k · count, width)`, and their labels.

        Random numbers come from PyTorch's global generator.
        """
        classes, rank, width = self.directions.shape
        along = torch.randn(classes, count, rank) @ self.directions
        rest = torch.randn(classes, count, width) * self.spreads[:, None]
        degrees = self.degrees[:, None, None].expand(classes, count, 1)
        tails = ((degrees - 2) / Chi2(degrees).sample()).sqrt()
        drawn = self.means[:, None] + tails * (along + rest)
        return drawn.flatten(0, 1), self.labels.repeat_interleave(count)

    @property
    def bytes(self) -> int:
        """What has to be kept of them."""
        return sum(part.nbytes for part in self)

    def save_samples(self, folder: Path | str, count: int, like: Labelled) -> None:
        """Saves `count` samples of each class, to choose on, and how many bytes they come from.

        Args:
            folder: where.
            count: of each class; random numbers come from PyTorch's global generator.
            like: features of the same classes, whose names and advice are taken.
        """
        samples, labels = self.sample(count)
        like._replace(inputs=samples.numpy(), labels=labels.numpy()).save(folder)
        about = {"bytes": self.bytes, "rank": self.directions.shape[1]}
        artifacts.save_json(Path(folder) / "kept.json", about)

    def deviations(self, count: int) -> Tensor:
        """How samples of classes drawn at random differ from their class's mean: `(count, width)`.

        Random numbers come from PyTorch's global generator.
        """
        each = math.ceil(count / len(self.labels))
        drawn = self.sample(each)[0] - self.means.repeat_interleave(each, 0)
        return drawn[torch.randperm(len(drawn))[:count]]

    def replay(self, count: int, inputs: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Real features of other classes, followed by `count` samples of each of these.

        Those of a class that has fewer are repeated, so that no class is rare.
        """
        sampled, of_class = (part.to(inputs.device) for part in self.sample(count))
        rows = torch.from_numpy(labelled.repeated(labels.cpu().numpy(), count)).to(labels.device)
        return torch.cat([inputs[rows], sampled]), torch.cat([labels[rows], of_class])

    def save(self, path: Path | str) -> None:
        """Saves to a safetensors file."""
        artifacts.save_tensors(path, self._asdict(), {"kind": KIND})

    @classmethod
    def load(cls, path: Path | str) -> "Gaussians":
        """Loads what `save` saved."""
        arrays, _ = artifacts.load_tensors(path, KIND)
        return cls(**{name: torch.from_numpy(array) for name, array in arrays.items()})


def extend_samples(kept: Path | str, features: Tensor, labels: Tensor, folder: Path | str) -> None:
    """Saves samples with as many of further classes behind them.

    Args:
        kept: where `Gaussians.save_samples` saved them.
        features: `(n, width)`, of images of the further classes.
        labels: `(n,)`, of them.
        folder: where to; random numbers come from PyTorch's global generator.
    """
    old = Labelled.load(kept)
    about = artifacts.load_json(Path(kept) / "kept.json")
    if not len(old.labels):  # nothing was kept of the first classes, so that nothing is comparable
        old.save(folder)
        artifacts.save_json(Path(folder) / "kept.json", about)
        return
    new = Gaussians.of(features, labels, about["rank"])
    count = int(np.bincount(old.labels).max())
    samples, of_class = new.sample(count)
    both = old._replace(
        inputs=np.concatenate([old.inputs, samples.numpy()]),
        labels=np.concatenate([old.labels, of_class.numpy()]),
    )
    both.save(folder)
    about |= {"bytes": about["bytes"] + new.bytes}
    artifacts.save_json(Path(folder) / "kept.json", about)


def _estimate(features: Tensor, rank: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Mean `(width,)`, directions `(rank, width)`, spreads `(width,)` and degrees of one class."""
    mean = features.mean(0)
    covariance = torch.cov(features.T, correction=0)
    variances, vectors = torch.linalg.eigh(covariance)
    largest = variances[-rank:].clamp(min=0).sqrt()
    directions = (vectors[:, -rank:] * largest).T
    left = (covariance.diagonal() - directions.square().sum(0)).clamp(min=0)
    varies = largest > 1e-6 * largest.max()
    coordinates = (features - mean) @ vectors[:, -rank:][:, varies] / largest[varies]
    # Coordinates scaled by few images' own covariance vary less than they should: the leading ones.
    leading = coordinates[:, -max(1, len(features) // 5) :]
    return mean, directions, left.sqrt(), _degrees(leading)


def _degrees(coordinates: Tensor) -> Tensor:
    """Degrees of freedom of the t distribution whose squared radius varies as much.

    In m dimensions a sample is a normal one times √s, where s has the mean 1 and the variance
    2 / (ν - 4), so that the variance of the mean square of its coordinates is
    (1 + 2 / (ν - 4)) (1 + 2 / m) - 1.

    Args:
        coordinates: `(n, m)`, standardised.
    """
    dimensions = coordinates.shape[1]
    if not dimensions:
        return coordinates.new_tensor(MOST)
    radii = coordinates.square().mean(1)
    excess = (1 + radii.var(correction=0)) / (1 + 2 / dimensions) - 1
    return (4 + 2 / excess.clamp(min=1e-9)).clamp(LEAST, MOST)
