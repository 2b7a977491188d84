"""Which old images are kept, and what makes up for their being few."""

from copy import deepcopy

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pipeline.core import labelled
from pipeline.core.labelled import Labelled
from pipeline.learning import training
from pipeline.learning.networks import NEVER, Classifier


def herd(features: Tensor, count: int | None) -> list[int]:
    """Rows whose mean is near that of all, chosen one after the other (arXiv 1611.07725, alg. 4).

    Args:
        features: `(n, width)`.
        count: of the rows chosen, at most (None: all).

    Returns:
        The indices of the rows, the first chosen first.
    """
    rows = features.double()
    mean, total = rows.mean(0), torch.zeros(rows.shape[1], dtype=rows.dtype, device=rows.device)
    chosen: list[int] = []
    for number in range(1, min(count or len(rows), len(rows)) + 1):
        distances = (mean - (total + rows) / number).norm(dim=1)
        distances[chosen] = torch.inf
        chosen.append(int(distances.argmin()))
        total += rows[chosen[-1]]
    return chosen


def exemplars(model: Classifier, images: Labelled, count: int | None) -> Labelled:
    """At most `count` images of each class, chosen by herding (None: all).

    Args:
        model: whose `penultimate` features are compared.
        images: of which some are chosen.
        count: of each class.
    """
    features = penultimate(model, images)
    rows = []
    for label in np.unique(images.labels):
        of_class = np.flatnonzero(images.labels == label)
        rows.append(of_class[herd(features[of_class], count)])
    return images.where(np.concatenate(rows))


def penultimate(model: Classifier, images: Labelled) -> Tensor:
    """The inputs `(n, width)` of a model's last layer, each scaled to a length of one."""
    device = next(model.parameters()).device
    before = nn.Sequential(model.trunk, *list(model.head.children())[:-1]).train(model.training)
    return F.normalize(training.predict(before, torch.from_numpy(images.inputs).to(device)))


def nearest_mean(model: Classifier, *kept: Labelled) -> Classifier:
    """A model that takes an image for the class whose exemplars' mean is nearest.

    As in arXiv 1611.07725 features and means have a length of one. The nearest mean then has the
    largest product with the features, and their own length, which scales all products, changes no
    answer: the last layer's rows become the means. A class without exemplars is never answered.

    Args:
        model: whose features are compared; it stays as it is.
        kept: exemplars of all classes.
    """
    everything = labelled.merge(*kept)
    features = penultimate(model, everything)
    labels = torch.from_numpy(everything.labels).to(features.device)
    result = deepcopy(model)
    output = result.head.get_submodule("output")
    assert isinstance(output, nn.Linear)
    with torch.no_grad():
        for label in labels.unique():
            mean = features[labels == label].mean(0)
            output.weight[label] = F.normalize(mean, dim=0)
        output.bias.zero_()
        output.bias[np.setdiff1d(range(len(output.bias)), everything.labels)] = NEVER
    return result


def align(model: Classifier, new: list[int], old: Labelled) -> None:
    """Scales the new classes' rows of the last layer to the old ones' mean length, in place.

    Weight aligning, arXiv 1911.07053: with few old images, rows of new classes become too long.

    Args:
        model: as trained.
        new: the indices of the new classes.
        old: images of the old ones.
    """
    weight = model.head.get_parameter("output.weight").data
    lengths = weight.norm(dim=1)
    weight[new] *= lengths[np.unique(old.labels)].mean() / lengths[new].mean()
