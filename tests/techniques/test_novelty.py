"""Known or unknown."""

from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn import metrics

from pipeline.learning import networks
from pipeline.techniques import novelty
from pipeline.techniques.novelty import Novelty


def logits(seed: int, scale: float) -> torch.Tensor:
    return scale * torch.randn(8, 400, 3, generator=torch.Generator().manual_seed(seed))


KNOWN, UNKNOWN = logits(1, 5.0), logits(2, 1.0)


def test_scores_are_what_their_papers_say() -> None:
    scores = novelty.scores(KNOWN)
    exponentials = KNOWN.double().exp()
    torch.testing.assert_close(scores["energy"], exponentials[0].sum(1).log())
    probabilities = exponentials / exponentials.sum(2, keepdim=True)
    torch.testing.assert_close(scores["softmax"], probabilities[0].amax(1))
    torch.testing.assert_close(scores["views"], probabilities.mean(0).amax(1))


def test_turning_the_images_changes_no_score_of_their_views() -> None:
    torch.manual_seed(0)
    model = networks.shape_cnn((3, 64, 64), 3, 0.0).eval()
    images = torch.randint(256, (20, 3, 64, 64), dtype=torch.uint8)
    here, turned = (novelty.scores(novelty.views(model, x)) for x in (images, images.mT.flip(2)))
    torch.testing.assert_close(here["views"], turned["views"])
    assert not torch.allclose(here["softmax"], turned["softmax"])


def test_threshold_lets_known_images_pass_and_fewer_unknown_ones() -> None:
    chosen = Novelty.chosen(KNOWN, UNKNOWN)
    assert float(chosen.passes(KNOWN).double().mean()) == pytest.approx(novelty.RECALL, abs=0.005)
    assert float(chosen.passes(UNKNOWN).double().mean()) < 0.8


def test_score_that_parts_better_is_chosen() -> None:
    # All the same in their probabilities, not in their energies; and the other way round.
    assert Novelty.chosen(KNOWN + 50, KNOWN).score == "energy"
    sure = torch.tensor([9.0, 0.0, 0.0]).expand(8, 50, 3)
    unsure = torch.tensor([20.0, 20.0, 20.0]).expand(8, 50, 3)
    assert Novelty.chosen(sure, unsure).score == "softmax"


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


def test_it_comes_back(tmp_path: Path) -> None:
    chosen = Novelty.chosen(KNOWN, UNKNOWN)
    chosen.save(tmp_path / "x")
    loaded = Novelty.load(tmp_path / "x")
    assert torch.equal(loaded.passes(UNKNOWN), chosen.passes(UNKNOWN))
