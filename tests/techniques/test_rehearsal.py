"""Which old images are kept, and what makes up for their being few."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from sklearn.neighbors import NearestCentroid
from torch import nn

from pipeline.core.labelled import Labelled
from pipeline.learning import models
from pipeline.learning.networks import Classifier
from pipeline.techniques import rehearsal

CLASSES = ["a", "b", "c"]


def network(hidden: tuple[int, ...] = (7,)) -> Classifier:
    torch.manual_seed(0)
    return models.NETWORKS["identity"]((5,), 3, 0.3, hidden=hidden).eval()


def images(count: int) -> Labelled:
    """Rows of three classes, not in order."""
    generator = np.random.default_rng(0)
    labels = generator.permutation(np.arange(count) % 3)
    rows = generator.normal(size=(count, 5)) + 2 * generator.normal(size=(3, 5))[labels]
    return Labelled(rows.astype(np.float32), labels, CLASSES, [1])


@pytest.mark.parametrize("count", [1, 4, 30, None])
def test_herding_is_the_search_among_all_rows_that_are_left(count: int | None) -> None:
    rows = np.random.default_rng(0).normal(size=(20, 3))
    expected: list[int] = []
    while len(expected) < min(count or 20, 20):
        left = [row for row in range(20) if row not in expected]
        gaps = [np.linalg.norm(rows.mean(0) - rows[[*expected, row]].mean(0)) for row in left]
        expected.append(left[int(np.argmin(gaps))])
    assert rehearsal.herd(torch.from_numpy(rows), count) == expected


def test_exemplars_have_a_mean_nearer_to_their_class_than_random_ones() -> None:
    model, everything = network(), images(300)
    chosen = rehearsal.exemplars(model, everything, 5)
    assert np.bincount(chosen.labels).tolist() == [5, 5, 5]
    for label in range(3):
        of_class = everything.where(everything.labels == label)
        features = rehearsal.penultimate(model, of_class)
        herded = rehearsal.penultimate(model, chosen.where(chosen.labels == label)).mean(0)
        random = [features[torch.randperm(len(features))[:5]].mean(0) for _ in range(20)]
        gaps = [float((features.mean(0) - mean).norm()) for mean in (herded, *random)]
        assert gaps[0] < np.quantile(gaps[1:], 0.25)


@pytest.mark.parametrize("hidden", [(), (7,), (7, 6)])
def test_nearest_mean_is_that_of_a_trusted_implementation(hidden: tuple[int, ...]) -> None:
    model, kept = network(hidden), images(90)
    halves = [kept.where(np.arange(40)), kept.where(np.arange(40, 90))]
    before = {name: weight.clone() for name, weight in model.state_dict().items()}
    classifier = rehearsal.nearest_mean(model, *halves)
    features = rehearsal.penultimate(model, kept).numpy()
    trusted = NearestCentroid().fit(features, kept.labels)
    trusted.centroids_ /= np.linalg.norm(trusted.centroids_, axis=1, keepdims=True)
    with torch.no_grad():
        answers = classifier(torch.from_numpy(kept.inputs)).argmax(1)
    assert np.array_equal(answers, trusted.predict(features))
    assert all(torch.equal(weight, before[name]) for name, weight in model.state_dict().items())


def test_features_leave_the_mode_of_the_model() -> None:
    model = network()
    for training in (False, True):
        model.train(training)
        before = rehearsal.penultimate(model, images(6))
        assert {part.training for part in model.modules()} == {training}
        torch.testing.assert_close(before.norm(dim=1), torch.ones(6))


def test_aligned_rows_are_as_long_as_the_old_ones_and_point_as_before() -> None:
    model = network()
    output = model.head.get_submodule("output")
    assert isinstance(output, nn.Linear)
    output.weight.data[1] *= 5
    before = output.weight.detach().clone()
    old = images(6)
    rehearsal.align(model, [1], old.where(old.labels != 1))
    lengths = output.weight.detach().norm(dim=1)
    torch.testing.assert_close(lengths[1], lengths[[0, 2]].mean())
    assert torch.equal(output.weight.detach()[[0, 2]], before[[0, 2]])
    cosine = F.cosine_similarity(output.weight.detach()[1], before[1], dim=0)
    torch.testing.assert_close(cosine, torch.tensor(1.0))
