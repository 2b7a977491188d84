"""Fisher information of a model's weights: how much what it says depends on each of them."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap

from pipeline.core import artifacts
from pipeline.learning import training

KIND = "Fisher information and its number of images"
BATCH = 100
"""Images whose gradients are computed at a time."""


class Fisher(NamedTuple):
    """The diagonal of a model's Fisher information.

    Attributes:
        weights: by the names of the model's weights, each of a weight's shape, float32.
    """

    weights: dict[str, Tensor]

    @classmethod
    def of(cls, model: nn.Module, inputs: Tensor, labels: Tensor) -> "Fisher":
        """The mean squared gradient of the log-likelihood of labels, dropout off.

        With labels drawn from what the model says it is an unbiased estimate of the Fisher
        information; with true ones it would be the "empirical" one (arXiv 1905.12558).

        Args:
            model: `inputs` to logits.
            inputs: `(n, …)`.
            labels: `(n,)`, int64.
        """
        weights = {name: weight.detach() for name, weight in model.named_parameters()}
        model.eval()

        def log_likelihood(weights: dict[str, Tensor], one: Tensor, label: Tensor) -> Tensor:
            logits = functional_call(model, weights, one[None])
            likely: Tensor = logits.log_softmax(1)[0].gather(0, label[None]).squeeze()
            return likely

        gradients = vmap(grad(log_likelihood), (None, 0, 0))
        sums = {name: torch.zeros_like(weight) for name, weight in weights.items()}
        for part, of_part in zip(inputs.split(BATCH), labels.split(BATCH), strict=True):
            for name, gradient in gradients(weights, part, of_part).items():
                sums[name] += gradient.square().sum(0)
        return cls({name: total / len(inputs) for name, total in sums.items()})

    @classmethod
    def sampled(cls, model: nn.Module, images: Tensor) -> "Fisher":
        """That of images `(n, …)`, with labels drawn from what the model says of them.

        Random numbers come from PyTorch's global generator.
        """
        said = training.predict(model, images).softmax(1)
        return cls.of(model, images, torch.multinomial(said, 1).squeeze(1))

    def plus(self, other: "Fisher") -> "Fisher":
        """That of the images of both, as in online EWC (arXiv 1805.06370) without decay."""
        return Fisher({name: weight + other.weights[name] for name, weight in self.weights.items()})

    def penalty(self, model: nn.Module, weight: float) -> Callable[[], Tensor]:
        """Elastic weight consolidation: ½ `weight` Σ F (θ − θ₀)² (arXiv 1612.00796, equation 3).

        Args:
            model: whose weights θ are held near those that they have now, θ₀.
            weight: of the penalty.
        """
        trained = {name: value for name, value in model.named_parameters() if value.requires_grad}
        start = {name: value.detach().clone() for name, value in trained.items()}
        importance = {name: self.weights[name].to(value.device) for name, value in trained.items()}

        def penalty() -> Tensor:
            terms = [
                (importance[name] * (now - start[name]).square()).sum()
                for name, now in trained.items()
            ]
            return weight / 2 * torch.stack(terms).sum()

        return penalty

    def save(self, path: Path | str, images: int) -> None:
        """Saves to a safetensors file, with the number of images of a class that it is of."""
        weights = {name: weight.cpu() for name, weight in self.weights.items()}
        artifacts.save_tensors(path, weights, {"kind": KIND, "images": images})

    @classmethod
    def load(cls, path: Path | str) -> tuple["Fisher", int]:
        """Loads what `save` saved."""
        arrays, about = artifacts.load_tensors(path, KIND)
        weights = {name: torch.from_numpy(array) for name, array in arrays.items()}
        return cls(weights), about["images"]
