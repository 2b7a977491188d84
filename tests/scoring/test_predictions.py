"""The logits of many models on the same images."""

from copy import deepcopy

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from pipeline.core.labelled import Labelled
from pipeline.learning import models, networks
from pipeline.learning.networks import Classifier, Pixels
from pipeline.scoring.predictions import Predictions

IMAGES = np.random.default_rng(0).integers(256, size=(30, 1, 28, 28), dtype=np.uint8)


@pytest.fixture
def on() -> Predictions:
    labels = np.arange(30) % 3
    return Predictions(Labelled(IMAGES, labels, ["a", "b", "c"], []), torch.device("cpu"))


def model(seed: int = 0) -> Classifier:
    torch.manual_seed(seed)
    return networks.cnn((1, 28, 28), 3, 0.5).eval()


def test_logits_are_those_of_the_model(on: Predictions) -> None:
    for seed in (0, 1, 0):
        expected = model(seed)(torch.from_numpy(IMAGES))
        torch.testing.assert_close(on.logits(model(seed)), expected)


def test_equal_trunks_run_once(on: Predictions) -> None:
    runs: list[nn.Module] = []

    def noted(one: Classifier) -> Classifier:
        def note(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
            if len(output) == len(IMAGES):  # one alone shows how many to take at a time
                runs.append(module)

        pixels = one.trunk.get_submodule("0")
        assert isinstance(pixels, Pixels)
        pixels.register_forward_hook(note)
        return one

    on.logits(noted(model()))
    on.logits(noted(deepcopy(model())))
    on.logits(noted(models.with_head(model(), networks.dense_head((576, 3), 0.0))))
    assert len(runs) == 1
    on.logits(noted(model(1)))
    assert len(runs) == 2
