"""A new class as one more row."""

from pathlib import Path

import pytest
import torch
from sklearn.linear_model import LogisticRegression
from torch import Tensor

from pipeline.core.errors import InputError
from pipeline.learning import models
from pipeline.learning import rows as beside
from pipeline.learning.augmentation import NONE, Augmentation
from pipeline.learning.networks import Classifier
from pipeline.learning.rows import Row
from pipeline.techniques.statistics import new_row
from pipeline.techniques.statistics.gaussians import Gaussians
from pipeline.techniques.statistics.new_row import NewRow

SETTINGS = NewRow(
    variants=40,
    samples=100,
    balance=1.0,
    l2=5e-3,
    choose_from=10,
    folds=5,
    augmentation=NONE,
)
OLD = [0, 2]


def base() -> Classifier:
    torch.manual_seed(0)
    description = {"network": "identity", "shape": [6], "classes": 3, "dropout": 0.0, "hidden": []}
    model = models.build(description).eval()
    with torch.no_grad():
        model.head.get_parameter("output.weight").copy_(torch.eye(3, 6) * 3)
    return model


def features(label: int, count: int) -> Tensor:
    """Those of a class are near a corner of a cube."""
    return torch.randn(count, 6) * 0.3 + torch.eye(6)[label] * 3


def kept() -> Gaussians:
    torch.manual_seed(1)
    labels = torch.tensor(OLD).repeat_interleave(200)
    return Gaussians.of(torch.cat([features(label, 200) for label in OLD]), labels, 2)


def wide() -> Gaussians:
    """As `kept`, of classes that overlap."""
    torch.manual_seed(1)
    labels = torch.tensor(OLD).repeat_interleave(1000)
    parts = [features(label, 1000) + torch.randn(1000, 6) for label in OLD]
    return Gaussians.of(torch.cat(parts), labels, 2)


def answers(row: Row, inputs: Tensor) -> Tensor:
    """The base's with a row for class 1."""
    with torch.no_grad():
        logits: Tensor = beside.with_rows(base(), {1: row})(inputs)
    return logits.argmax(1)


def old_logits(inputs: Tensor) -> Tensor:
    logits: Tensor = base().head(inputs)[:, OLD]
    return logits


@pytest.mark.parametrize("count", [1, 3, 2000])
def test_the_class_is_learned_and_the_old_logits_keep_their_bits(count: int) -> None:
    gaussians = kept()
    row = new_row.learn(old_logits, gaussians, features(1, count), count, SETTINGS, seed=0)
    inputs = torch.cat([features(label, 100) for label in range(3)])
    model = beside.with_rows(base(), {1: row})
    with torch.no_grad():
        logits, before = model(inputs), base()(inputs)
    assert torch.equal(logits[:, OLD], before[:, OLD])
    truth = torch.arange(3).repeat_interleave(100)
    assert (logits.argmax(1) == truth).float().mean() > 0.98
    appended = beside.appended(old_logits(inputs), row, inputs)
    assert torch.equal(appended[:, :2], before[:, OLD])
    torch.testing.assert_close(appended[:, 2], logits[:, 1], atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("balance", [1.0, 3.0])
def test_row_is_the_logistic_regression_of_scikit_learn(balance: float) -> None:
    """Where samples are the classes' means, and the old logits are 0."""
    torch.manual_seed(2)
    means, new = torch.randn(30, 6), torch.randn(20, 6) + 1
    spread, degrees = torch.zeros(30, 2, 6), torch.full((30,), 10.0)
    points = Gaussians(torch.arange(30), torch.ones(30), means, spread, spread[:, 0], degrees)
    settings = SETTINGS.model_copy(update={"samples": 1, "balance": balance, "l2": 0.2 / 6})
    row = new_row.learn(lambda x: torch.zeros(len(x), 1), points, new, 5, settings, seed=0)

    mean, deviation = means.mean(0), means.std(0)
    inputs = ((torch.cat([new, means]) - mean) / deviation).numpy()
    weights = [balance / 20 / (1 + balance)] * 20 + [1 / 30 / (1 + balance)] * 30
    trusted = LogisticRegression(C=5 / (2 * 0.2), tol=1e-8, max_iter=1000)
    trusted.fit(inputs, [1] * 20 + [0] * 30, weights)
    expected = torch.from_numpy(trusted.decision_function(inputs)).float()
    torch.testing.assert_close(row(torch.cat([new, means])), expected, atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize("balance", [0.01, 1.0, 100.0])
def test_from_ten_images_on_the_balance_makes_up_for_itself(balance: float) -> None:
    """The bias is then chosen for the accuracy over all classes, whatever it was trained with."""
    truth = torch.arange(3).repeat_interleave(1000)
    torch.manual_seed(3)
    inputs = torch.cat([features(label, 1000) + torch.randn(1000, 6) for label in range(3)])
    new = features(1, 40) + torch.randn(40, 6)
    right = {}
    for choose_from in (40, 41):
        changed = {"balance": balance, "choose_from": choose_from}
        settings = SETTINGS.model_copy(update=changed)
        row = new_row.learn(old_logits, wide(), new, 40, settings, seed=0)
        right[choose_from] = float((answers(row, inputs) == truth).float().mean())
    assert right[40] > 0.90
    assert balance == 1 or right[40] > right[41] + 0.05


@pytest.mark.parametrize("seed", range(5))
def test_best_threshold_is_that_of_trying_all(seed: int) -> None:
    torch.manual_seed(seed)
    values = torch.randn(60).round(decimals=1)
    gains = torch.randint(-2, 3, (60,)) / 4 + 0.05 * seed
    tried = torch.linspace(-5, 5, 2001, dtype=torch.float64) + 0.001
    sums = (gains.double() * (values > tried[:, None])).sum(1)
    chosen = new_row.best_threshold(values, gains)
    assert float((gains.double() * (values > chosen)).sum()) == pytest.approx(float(sums.max()))


def test_best_threshold_is_in_the_middle_of_the_widest_gap() -> None:
    values = torch.tensor([5.0, 4.0, 2.0, 1.0, 0.5, 3.0])
    gains = torch.tensor([1.0, 1.0, -1.0, 1.0, -1.0, 0.0])
    assert new_row.best_threshold(values, gains) == 3.0
    gains[2] = -0.5
    assert new_row.best_threshold(values, gains) == 0.75
    assert new_row.best_threshold(values, -gains.abs()) == 5.0


def test_how_often_images_are_shown_does_not_matter() -> None:
    few = features(1, 100)
    rows = [
        new_row.learn(old_logits, kept(), few.repeat(times, 1), 100, SETTINGS, seed=0)
        for times in (1, 30)
    ]
    inputs = torch.cat([few, kept().sample(50)[0]])
    decided = [row(inputs) > old_logits(inputs).logsumexp(1) for row in rows]
    assert (decided[0] == decided[1]).float().mean() > 0.97


def test_several_classes_have_a_row_each() -> None:
    gaussians = Gaussians.of(features(0, 200), torch.zeros(200, dtype=torch.int64), 2)
    new = {label: features(label, 3) for label in (1, 2)}
    rows = new_row.learn_all(base(), gaussians, new, NONE, SETTINGS, seed=0)
    inputs = torch.cat([features(label, 100) for label in range(3)])
    with torch.no_grad():
        logits, before = beside.with_rows(base(), rows)(inputs), base()(inputs)
    assert torch.equal(logits[:, 0], before[:, 0])
    truth = torch.arange(3).repeat_interleave(100)
    assert (logits.argmax(1) == truth).float().mean() > 0.97


def test_variants_begin_with_the_images_as_they_are() -> None:
    images = torch.randint(256, (3, 1, 8, 8), dtype=torch.uint8)
    trunk = models.NETWORKS["mlp"]([1, 8, 8], 2, 0.0).trunk
    augment = Augmentation(rotation=0.3, scale=0.1, translation=1.0)
    made = new_row.variants(trunk, images, augment, 10)
    assert len(made) == 9
    assert torch.equal(made[:3], trunk(images))
    assert not torch.equal(made[3:6], made[:3])
    assert len(new_row.variants(trunk, images, augment, 1)) == 3


def test_saved_row_comes_back_and_knows_its_trunk(tmp_path: Path) -> None:
    row = Row(torch.randn(6), 0.3)
    row.save(tmp_path / "row", "star", base())
    loaded, name = Row.load(tmp_path / "row", base())
    assert name == "star"
    assert torch.equal(loaded.weight, row.weight)
    assert loaded.bias == pytest.approx(row.bias)
    shape = {"shape": [1, 4, 4], "classes": 3, "dropout": 0.0}
    other = models.build({"network": "mlp", **shape, "hidden": []})
    trained = models.build({"network": "residual", **shape, "shape": [1, 8, 8]})
    assert models.trunk_name(other.trunk) == models.trunk_name(base().trunk)
    with pytest.raises(InputError, match="another trunk"):
        Row.load(tmp_path / "row", trained)
