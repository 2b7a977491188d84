"""A new class as one more row of the output layer: a logistic unit on the trunk's features.

All old weights stay, and the old logits are those of the old head, bit for bit: the new class is
taken where the unit's value exceeds them. It is trained on augmented new images, and on samples of
the stored Gaussians in place of the old ones.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Literal, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pipeline.core import artifacts
from pipeline.core.params import Count, NotNegative, Positive, Section
from pipeline.core.seeding import derive
from pipeline.learning import changes, models, training
from pipeline.learning.augmentation import Augmentation
from pipeline.learning.networks import Classifier
from pipeline.techniques.gaussians import Gaussians

KIND = "a row for a new class"


class NewRow(Section):
    """How a row is learned; the same from one image on.

    Of the new images, `variants` are made in all (and each is there at least once); `samples` are
    drawn of every old class. All new ones together weigh `balance` times what all old ones do,
    however many they are. `l2` weighs the squared norm of the row on standardised features; it is
    divided by the number of new images, as a prior is that every image counts against.
    `augmentation: auto` takes what suits the images.
    """

    variants: Count
    samples: Count
    balance: Positive
    l2: NotNegative
    augmentation: Augmentation | Literal["auto"]


class Row(NamedTuple):
    """The unit of a class: `weight · features + bias` is its logit.

    Attributes:
        weight: `(width,)`, float32.
        bias: of the logit.
    """

    weight: Tensor
    bias: float

    def __call__(self, features: Tensor) -> Tensor:
        """The logits of the class, `(n,)`, for features `(n, width)`."""
        return features @ self.weight + self.bias

    def save(self, path: Path | str, name: str, base: Classifier) -> None:
        """Saves the row, the name of its class and that of the trunk to a safetensors file."""
        about = {"kind": KIND, "class": name, "trunk": models.trunk_name(base.trunk)}
        arrays = {"weight": self.weight.cpu(), "bias": torch.tensor([self.bias])}
        artifacts.save_tensors(path, arrays, about)

    @classmethod
    def load(cls, path: Path | str, base: Classifier) -> tuple["Row", str]:
        """Loads what `save` saved: the row, and the name of its class.

        Raises:
            InputError: if it belongs to another base.
        """
        arrays, about = artifacts.load_tensors(path, KIND)
        changes.belongs(Path(path), about["trunk"], base)
        return cls(torch.from_numpy(arrays["weight"]), float(arrays["bias"][0])), about["class"]


def variants(trunk: nn.Module, images: Tensor, augment: Augmentation, count: int) -> Tensor:
    """The features of images, each as it is and changed at random.

    Random numbers come from PyTorch's global generator.

    Args:
        trunk: images to features.
        images: `(n, channels, height, width)`, uint8, or features that come as they are.
        augment: how images are changed.
        count: of the variants of all images together; each image is there at least once.

    Returns:
        `(m, width)`, float32: first the features of the images as they are.
    """
    more = max(count // len(images) - 1, 0)
    changed = [training.predict(trunk, augment(part)) for part in [images] * more]
    return torch.cat([training.predict(trunk, images), *changed])


def learn(
    old_logits: Callable[[Tensor], Tensor],
    gaussians: Gaussians,
    features: Tensor,
    images: int,
    settings: NewRow,
    seed: int,
) -> Row:
    """Learns the row of a new class.

    The unit's value minus log Σ exp of the old logits is the log-odds of the new class against all
    old ones; its binary cross-entropy is a convex function, minimised by L-BFGS. A few images show
    too little of how a class varies, so that to each of their features 1 + 1 / `images` times the
    deviation of a sample of some old class from its mean is added: the old classes' covariance
    stands in for the new one's, as in distribution calibration (arXiv 2101.06395).

    Args:
        old_logits: features `(m, width)` to logits of the old classes `(m, k)`.
        gaussians: the old classes' features.
        features: `(n, width)`, float32: of variants of the new class's images.
        images: how many images these are variants of.
        settings: how it is learned.
        seed: of PyTorch's global generator.

    Returns:
        The row, for features as they come: the standardisation is folded in.
    """
    torch.manual_seed(seed)
    sampled = gaussians.sample(settings.samples)[0].to(features.device)
    mean, deviation = sampled.mean(0), sampled.std(0).clamp(min=1e-6)
    spread = gaussians.deviations(len(features)).to(features.device)
    varied = features + (1 + 1 / images) * spread
    inputs = torch.cat([varied, sampled])
    with torch.no_grad():
        against = torch.cat([old_logits(part) for part in inputs.split(1000)]).logsumexp(1)
    standard = (inputs - mean) / deviation
    unit = nn.Linear(inputs.shape[1], 1, device=inputs.device)
    nn.init.zeros_(unit.weight)
    nn.init.zeros_(unit.bias)
    optimizer = torch.optim.LBFGS(unit.parameters(), max_iter=100, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimizer.zero_grad()
        odds = unit(standard).squeeze(1) - against
        new, old = (
            F.softplus(-odds[: len(features)]).mean(),
            F.softplus(odds[len(features) :]).mean(),
        )
        entropy = (settings.balance * new + old) / (settings.balance + 1)
        total = entropy + settings.l2 / images * unit.weight.square().sum()
        total.backward()
        return total

    optimizer.step(loss)
    weight = unit.weight.detach()[0] / deviation
    return Row(weight, float(unit.bias.detach() - weight @ mean))


def learn_all(
    base: Classifier,
    gaussians: Gaussians,
    images: dict[int, Tensor],
    augment: Augmentation,
    settings: NewRow,
    seed: int,
) -> dict[int, Row]:
    """Learns a row for each new class, also against samples of the other new ones.

    Args:
        base: knows the old classes.
        gaussians: the old classes' features.
        images: of each new class, `(n, channels, height, width)`, by its column in the logits.
        augment: how images are changed.
        settings: how each row is learned.
        seed: gives the seeds of the variants and of each row.
    """
    torch.manual_seed(derive(seed, "variants"))
    features = {
        label: variants(base.trunk, part, augment, settings.variants)
        for label, part in images.items()
    }
    rank = gaussians.directions.shape[1]
    own = {
        label: Gaussians.of(part, torch.full((len(part),), label), rank)
        for label, part in features.items()
    }
    return {
        label: learn(
            lambda inputs: base.head(inputs)[:, gaussians.labels],
            gaussians.joined(*(other for name, other in own.items() if name != label)),
            part,
            len(images[label]),
            settings,
            derive(seed, label),
        )
        for label, part in features.items()
    }


def appended(logits: Tensor, row: Row, features: Tensor) -> Tensor:
    """Logits `(n, k)` with the row's behind them, `(n, k + 1)`: the first k are the same bits."""
    return torch.cat([logits, row(features)[:, None]], dim=1)


class Rows(nn.Module):
    """A head that is left as it is, but for rows in place of some columns of its logits.

    Args:
        head: features `(n, width)` to logits `(n, classes)`; frozen.
        rows: the columns, and the row of each.
    """

    def __init__(self, head: nn.Module, rows: dict[int, Row]):
        super().__init__()
        self.head = head.requires_grad_(False)
        self.columns = list(rows)
        self.weight = nn.Parameter(torch.stack([row.weight for row in rows.values()]))
        self.bias = nn.Parameter(torch.tensor([row.bias for row in rows.values()]))

    @property
    def rows(self) -> dict[int, Row]:
        """The row of each column."""
        pairs = zip(self.weight.detach(), self.bias.tolist(), strict=True)
        return {column: Row(*pair) for column, pair in zip(self.columns, pairs, strict=True)}

    def forward(self, features: Tensor) -> Tensor:
        logits: Tensor = self.head(features).clone()
        for place, column in enumerate(self.columns):  # one by one: the bits of each stay its own
            row = slice(place, place + 1)
            logits[:, column] = F.linear(features, self.weight[row], self.bias[row])[:, 0]
        return logits


def file(column: int | str) -> str:
    """The name of the file in which a method's folder has the row of a column."""
    return f"row_{column}.safetensors"


def restore(folder: Path | str, base: Classifier) -> Classifier | None:
    """The base with the rows that a folder has, if it has some."""
    files = {int(path.stem.split("_")[1]): path for path in sorted(Path(folder).glob(file("*")))}
    rows = {column: Row.load(path, base)[0] for column, path in files.items()}
    return with_rows(base, rows) if rows else None


def with_rows(base: Classifier, rows: dict[int, Row]) -> Classifier:
    """The base, with rows for the classes of some columns beside those it has; all else frozen."""
    had = base.head.rows if isinstance(base.head, Rows) else {}
    model = without_rows(base)
    model.head = Rows(model.head, had | rows)
    return model.eval()


def without_rows(base: Classifier) -> Classifier:
    """A copy of the base with its own head alone."""
    return models.with_head(base, base.head.head if isinstance(base.head, Rows) else base.head)
