"""Known or unknown."""

from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn import metrics

from pipeline import models, novelty
from pipeline.novelty import Novelty


@pytest.fixture(scope="module")
def fitted() -> Novelty:
    torch.manual_seed(0)
    model = models.shape_cnn((3, 64, 64), 3, 0.0).eval()
    return Novelty.fitted(model, images(1), images(2))


def images(seed: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(256, (40, 3, 64, 64), dtype=torch.uint8, generator=generator)


def test_scores_are_what_their_papers_say(fitted: Novelty) -> None:
    scores = fitted.scores(images(3))
    logits = fitted.model(images(3)).detach().double()
    torch.testing.assert_close(scores["softmax"], logits.softmax(1).amax(1), atol=1e-6, rtol=0)
    torch.testing.assert_close(scores["energy"], logits.exp().sum(1).log(), atol=1e-6, rtol=0)
    features = fitted.model.trunk(images(3)).detach().numpy()
    closest = metrics.pairwise.cosine_similarity(features, fitted.bank.numpy()).max(1)
    np.testing.assert_allclose(scores["nearest"].numpy(), closest, atol=1e-5)


def test_image_of_the_bank_is_as_near_as_can_be_and_turning_changes_nothing(
    fitted: Novelty,
) -> None:
    assert float(fitted.scores(images(1))["nearest"].min()) == pytest.approx(1, abs=1e-5)
    turned = fitted.scores(images(3).rot90(1, (2, 3)))
    torch.testing.assert_close(turned["views"], fitted.scores(images(3))["views"])


@pytest.mark.parametrize("score", ["softmax", "energy", "views", "nearest", "combined"])
def test_threshold_lets_known_images_pass(score: str, fitted: Novelty) -> None:
    passed = fitted.scores(images(2))[score] >= fitted.threshold(score)
    assert float(passed.double().mean()) == pytest.approx(novelty.RECALL, abs=0.03)


def test_detection_is_that_of_sklearn() -> None:
    generator = torch.Generator().manual_seed(0)
    known, unknown = (torch.randn(300, generator=generator) + shift for shift in (1.0, 0.0))
    found = novelty.detection(known, unknown)
    labels = np.repeat([1, 0], 300)
    assert found["auroc"] == pytest.approx(
        metrics.roc_auc_score(labels, torch.cat([known, unknown]).numpy())
    )
    threshold = known.sort(descending=True).values[284]  # 285 of 300 pass
    assert found["fpr95"] == pytest.approx(float((unknown >= threshold).float().mean()))


def test_it_comes_back(fitted: Novelty, tmp_path: Path) -> None:
    fitted.save(tmp_path / "x")
    loaded = Novelty.load(tmp_path / "x", fitted.model, torch.device("cpu"))
    for name, values in fitted.scores(images(3)).items():
        assert torch.equal(loaded.scores(images(3))[name], values)
