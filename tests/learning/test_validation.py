"""What a training is judged on."""

import numpy as np
import pytest
import torch

from pipeline.core.labelled import Labelled
from pipeline.learning.validation import Objective, Validation


def validation(objective: Objective = "overall") -> Validation:
    """Ninety inputs of three classes, of which the last is new."""
    data = Labelled(np.zeros((90, 2), np.float32), np.arange(90) % 3, ["a", "b", "c"], [2])
    return Validation.of(data, objective, torch.device("cpu"))


def test_objectives() -> None:
    measured = {"accuracy": 0.9, "accuracy_old": 0.95, "accuracy_new": 0.7, "loss": 0.1}
    assert validation("overall").score(measured) == (0.9, -0.1)
    assert validation("worst").score(measured) == (0.7, -0.1)


def test_measured_is_what_it_says() -> None:
    logits = torch.eye(3)[torch.arange(90) % 3]
    logits[:30] = torch.tensor([1.0, 0.0, 0.0])
    measured = validation().measure(logits)
    assert measured["accuracy"] == pytest.approx((60 + 10) / 90)
    assert measured["accuracy_new"] == pytest.approx(20 / 30)
    assert measured["accuracy_old"] == pytest.approx(50 / 60)


def test_nothing_is_said_of_new_classes_where_there_are_none() -> None:
    data = Labelled(np.zeros((4, 2), np.float32), np.arange(4) % 2, ["a", "b"], [])
    measured = Validation.of(data, "overall", torch.device("cpu")).measure(
        torch.eye(2).repeat(2, 1)
    )
    assert set(measured) == {"accuracy", "loss"}
