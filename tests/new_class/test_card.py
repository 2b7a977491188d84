"""When a model's answers count: chosen on validation images."""

import numpy as np
import torch

from pipeline.core.labelled import Labelled
from pipeline.new_class.evaluation import card

CLASSES = ["a", "b", "c"]


def labelled(labels: list[int], new: list[int]) -> Labelled:
    inputs = np.zeros((len(labels), 1, 2, 2), np.uint8)
    return Labelled(inputs, np.array(labels), CLASSES, new)


def test_score_that_parts_right_from_wrong_best_is_taken() -> None:
    # The softmax of all is the same; what is known has larger logits.
    logits = torch.tensor([[8.0, 4, 4]] * 20 + [[5.0, 1, 1]] * 20)
    held_out = labelled([0] * 20 + [2] * 20, new=[2])
    known = card.known(logits, held_out, logits, held_out)
    assert known.score == "energy"
    assert known.passes(logits).tolist() == [True] * 20 + [False] * 20
    assert (known.passed, known.passed_others) == (1.0, 0.0)
    # The energy of all is the same; what is wrong has two classes that are as likely.
    sure, torn = [[5.0, -9, -9]], [[5 - np.log(2), 5 - np.log(2), -9]]
    logits = torch.tensor(sure * 20 + torn * 20)
    held_out = labelled([0] * 20 + [1] * 20, new=[])
    assert card.known(logits, held_out, logits, held_out).score == "softmax"


def test_nearly_certain_answers_are_not_cut_off_by_rounding() -> None:
    logits = torch.randn(200, 3, generator=torch.Generator().manual_seed(0))
    logits[:, 0] += 30
    held_out = labelled([0] * 200, new=[])
    known = card.known(logits, held_out, logits, held_out)
    assert known.score == "softmax", "nothing is wrong that could choose"
    assert 0.95 <= known.passes(logits).double().mean() == known.passed


def test_test_images_are_told_apart_by_pixels_and_labels() -> None:
    one = labelled([0, 1, 2], new=[2])
    other_labels = one._replace(labels=np.array([0, 2, 1]))
    pixels = one.inputs.copy()
    pixels[2, 0, 0, 0] = 1
    hashes = {card.sha256(each) for each in (one, other_labels, one._replace(inputs=pixels))}
    assert len(hashes) == 3
