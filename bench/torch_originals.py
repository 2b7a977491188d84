"""The original systems' training loops in plain PyTorch, to time ours beside them.

Written anew from their descriptions, with the published networks, sizes and optimisers. What counts
here is the work of an epoch, so nothing is returned.
"""

from collections.abc import Iterator

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageDraw
from torch import Tensor, nn
from torch.nn.utils import parametrize
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms
from torchvision.transforms import functional

BATCH = 64
SHAPES_BATCH = 32


class Digits(Dataset[tuple[Tensor, int]]):
    """Images `(n, 1, 28, 28)`, uint8, made a picture and then a tensor again at every access."""

    def __init__(self, images: np.ndarray, labels: np.ndarray):
        self.images, self.labels = images, labels
        self.transform = transforms.Compose(
            [transforms.ToTensor(), transforms.Normalize((0.1307,), (0.3081,))]
        )

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        picture = Image.fromarray(self.images[index, 0])
        return self.transform(picture), int(self.labels[index])


class LowRank(nn.Module):
    """W + B A · scale, as a parametrization: the whole weight is made anew at every step."""

    def __init__(self, outputs: int, inputs: int, rank: int):
        super().__init__()
        self.a = nn.Parameter(torch.randn(rank, inputs))
        self.b = nn.Parameter(torch.zeros(outputs, rank))
        self.scale = float(inputs)  # alpha = rank × width

    def forward(self, weight: Tensor) -> Tensor:
        return weight + self.b @ self.a * self.scale


def wide_network(rank: int | None) -> nn.Sequential:
    """784–1000–2000–5 with dropout 0.5; with a rank, all but the low-rank matrices frozen."""
    layers = [nn.Linear(784, 1000), nn.Linear(1000, 2000), nn.Linear(2000, 5)]
    if rank is not None:
        for layer in layers:
            layer.requires_grad_(False)
            low_rank = LowRank(layer.out_features, layer.in_features, rank)
            parametrize.register_parametrization(layer, "weight", low_rank)
    return nn.Sequential(
        nn.Flatten(),
        layers[0], nn.ReLU(), nn.Dropout(0.5),
        layers[1], nn.ReLU(), nn.Dropout(0.5),
        layers[2],
    )  # fmt: skip


def sweep_epoch(images: np.ndarray, labels: np.ndarray, rank: int | None) -> None:
    """An epoch of the rank sweep: all weights, or LoRA at a rank."""
    model = wide_network(rank)
    trained = [weight for weight in model.parameters() if weight.requires_grad]
    _epoch(model, DataLoader(Digits(images, labels), BATCH, shuffle=True), trained, 1e-5)


class Shapes(Dataset[tuple[Tensor, int]]):
    """Squares and triangles of 256×256 pixels in any colour, from memory."""

    def __init__(self, count: int):
        self.pictures = list(_pictures(count))

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return functional.to_tensor(self.pictures[index]), index % 2


def shapes_network(frozen: bool) -> nn.Sequential:
    """Two convolutions and two dense layers; frozen are the convolutions, if any."""
    convolutions = nn.Sequential(
        nn.Conv2d(3, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
    )  # fmt: skip
    convolutions.requires_grad_(not frozen)
    head = nn.Sequential(nn.Flatten(), nn.Linear(64 * 64 * 64, 128), nn.ReLU(), nn.Linear(128, 2))
    return nn.Sequential(convolutions, head)


def shapes_epoch(shapes: Shapes, frozen: bool) -> None:
    """An epoch of the shapes: all weights, or all but the two convolutions."""
    model = shapes_network(frozen)
    trained = [weight for weight in model.parameters() if weight.requires_grad]
    _epoch(model, DataLoader(shapes, SHAPES_BATCH, shuffle=True), trained, 1e-3)


def _pictures(count: int) -> Iterator[Image.Image]:
    generator = np.random.default_rng(0)
    for index in range(count):
        picture = Image.new("RGB", (256, 256), "white")
        x, y = generator.integers(40, 216, 2)
        corners = [(x - 35, y - 35), (x + 35, y - 35), (x + 35, y + 35), (x - 35, y + 35)]
        colour = tuple(int(part) for part in generator.integers(0, 255, 3))
        ImageDraw.Draw(picture).polygon(corners[: 4 - index % 2], fill=colour)
        yield picture


def _epoch(
    model: nn.Module,
    batches: DataLoader[tuple[Tensor, int]],
    trained: list[nn.Parameter],
    learning_rate: float,
) -> None:
    optimizer = torch.optim.Adam(trained, lr=learning_rate)
    model.train()
    for images, labels in batches:
        loss = F.cross_entropy(model(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
