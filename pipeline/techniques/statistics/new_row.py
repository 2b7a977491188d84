"""A new class as one more row of the output layer: a logistic unit on the trunk's features.

It is trained on augmented new images, and on samples of the stored Gaussians in place of the old
ones.
"""

from collections.abc import Callable
from typing import Annotated, Literal

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from pipeline.core.params import Count, NotNegative, Positive, Section
from pipeline.core.seeding import derive
from pipeline.learning import training
from pipeline.learning.augmentation import Augmentation
from pipeline.learning.networks import Classifier
from pipeline.learning.rows import Row
from pipeline.techniques.statistics.gaussians import Gaussians


class NewRow(Section):
    """How a row is learned, from one image on.

    Of the new images, `variants` are made in all (and each is there at least once); `samples` are
    drawn of every old class. All new ones together weigh `balance` times what all old ones do,
    however many they are. `l2` weighs the squared norm of the row on standardised features, times
    their number, so that logits may be as large with any; it is divided by the number of new
    images, as a prior is that every image counts against.
    `augmentation: auto` takes what suits the images.

    From `choose_from` images on, the bias is chosen by cross-validation with `folds` parts of them.
    """

    variants: Count
    samples: Count
    balance: Positive
    l2: NotNegative
    choose_from: Annotated[int, Field(ge=2)]
    folds: Annotated[int, Field(ge=2)]
    augmentation: Augmentation | Literal["auto"]


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

    Args:
        old_logits: features `(m, width)` to logits of the old classes `(m, k)`.
        gaussians: the old classes' features, and perhaps those of further classes behind them.
        features: `(n, width)`, float32: of variants of the new class's images, as `variants` gives
            them: one of every image after the other, and that again.
        images: how many images these are variants of.
        settings: how it is learned.
        seed: of PyTorch's global generator.

    Returns:
        The row, for features as they come: the standardisation is folded in.
    """
    torch.manual_seed(seed)
    row = _fit(old_logits, gaussians, features, images, settings)
    if images < settings.choose_from:
        return row
    threshold = _threshold(old_logits, gaussians, features, images, settings)
    return row._replace(bias=row.bias - threshold)


def _fit(
    old_logits: Callable[[Tensor], Tensor],
    gaussians: Gaussians,
    features: Tensor,
    images: int,
    settings: NewRow,
) -> Row:
    """Fits a row, whose bias is that of classes as frequent as `settings.balance` says.

    Its value minus log Σ exp of the old logits is the log-odds of the new class against all
    old ones; its binary cross-entropy is a convex function, minimised by L-BFGS. A few images show
    too little of how a class varies, so that to each of their features 1 + 1 / `images` times the
    deviation of a sample of some old class from its mean is added: the old classes' covariance
    stands in for the new one's, as in distribution calibration (arXiv 2101.06395).
    """
    sampled = gaussians.sample(settings.samples)[0].to(features.device)
    mean, deviation = sampled.mean(0), sampled.std(0).clamp(min=1e-6)
    spread = gaussians.deviations(len(features)).to(features.device)
    varied = features + (1 + 1 / images) * spread
    inputs = torch.cat([varied, sampled])
    against = _logits(old_logits, inputs).logsumexp(1)
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
        total = entropy + settings.l2 * inputs.shape[1] / images * unit.weight.square().sum()
        total.backward()
        return total

    optimizer.step(loss)
    weight = unit.weight.detach()[0] / deviation
    return Row(weight, float(unit.bias.detach() - weight @ mean))


def _threshold(
    old_logits: Callable[[Tensor], Tensor],
    gaussians: Gaussians,
    features: Tensor,
    images: int,
    settings: NewRow,
) -> float:
    """How far a row's value must exceed all old logits, for the highest accuracy over all classes.

    It is counted on variants of images that the row of a fold has not seen, and on fresh samples
    of the old classes; those that the old head has wrong cannot be lost.
    """
    own = gaussians.labels.to(features.device)
    sampled, labels = (part.to(features.device) for part in gaussians.sample(settings.samples))
    logits = _logits(old_logits, sampled)
    old = own[: logits.shape[1]]  # behind them are classes that the old head does not know
    right = (old[logits.argmax(1)] == labels) | ~torch.isin(labels, old)
    image = torch.arange(len(features), device=features.device) % images
    margins, gains = [], []
    for fold in range(settings.folds):
        held = image % settings.folds == fold
        rest = images - len(range(fold, images, settings.folds))
        row = _fit(old_logits, gaussians, features[~held], rest, settings)
        found = row(features[held]) - _logits(old_logits, features[held]).amax(1)
        taken = row(sampled) - logits.amax(1)
        margins += [found, taken]
        gains += [
            torch.full_like(found, 1 / len(features)),
            right / (-settings.samples * settings.folds),
        ]
    return best_threshold(torch.cat(margins), torch.cat(gains))


def best_threshold(values: Tensor, gains: Tensor) -> float:
    """The threshold above which the gains of values have the largest sum.

    Args:
        values: `(n,)`.
        gains: `(n,)`, what each adds, which may be below 0.

    Returns:
        The middle of the widest gap between two neighbouring values in which the sum is largest;
        those whose gain is 0 do not count. The last is taken to be followed by one that is smaller
        by 1; if no sum is above 0, the largest value, above which there is none.
    """
    values, order = values[gains != 0].sort(descending=True)
    sums = gains[gains != 0][order].double().cumsum(0)
    below = torch.cat([values[1:], values[-1:] - 1])
    widths = values - below
    best = sums[widths > 0].max()
    if best <= 0:
        return float(values[0])
    widths[sums < best - 1e-9] = 0
    widest = widths.argmax()
    return float((values[widest] + below[widest]) / 2)


def _logits(old_logits: Callable[[Tensor], Tensor], inputs: Tensor) -> Tensor:
    """Those of the old head, in parts, as they are large."""
    with torch.no_grad():
        return torch.cat([old_logits(part) for part in inputs.split(1000)])


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
