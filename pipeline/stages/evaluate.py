"""Scores every method on the test data: the one stage that reads them."""

import numpy as np
import torch

from pipeline import artifacts, comparison, contenders, methods, models, scoring
from pipeline.compute import Compute
from pipeline.datasets import Labelled
from pipeline.predictions import Predictions

SHOWN = 8
"""Mistakes shown of each method, and images of each shape."""


def main(compute: Compute) -> None:
    device = compute.start()
    digits(device)
    shapes(device)


def digits(device: torch.device) -> None:
    """Compares the ways to learn the new classes."""
    test = Labelled.load("data/split/test.safetensors")
    validation = Labelled.load("data/split/validation.safetensors")
    learned = methods.load_all()
    on_test, on_validation = Predictions(test, device), Predictions(validation, device)
    logits = {method.name: on_test.logits(method.model) for method in learned}
    strength = [
        *comparison.strength(learned, on_validation, "validation"),
        *comparison.strength(learned, on_test, "test"),
    ]
    mistakes = comparison.mistakes(logits, test, SHOWN)

    artifacts.save_json("metrics/evaluate.json", comparison.figures(learned, logits, test))
    artifacts.save_table("plots/predictions.csv", comparison.predictions(logits, test))
    artifacts.save_table("plots/confusion.csv", comparison.confusion(logits, test))
    artifacts.save_table("plots/mcnemar.csv", comparison.mcnemar(logits, test))
    artifacts.save_table("plots/strength.csv", strength)
    artifacts.save_table("plots/training.csv", comparison.collected(learned, "curve"))
    artifacts.save_table("plots/studies.csv", comparison.collected(learned, "study"))
    artifacts.save_tensors(
        "data/evaluation/mistakes.safetensors",
        {"images": test.inputs[[row["image"] for row in mistakes]]},
        {"kind": "mistakes", "rows": mistakes, "classes": test.classes},
    )


def shapes(device: torch.device) -> None:
    """Compares the ways to learn new shapes."""
    base = models.load("data/shapes_base/model.safetensors")
    source = Labelled.load("data/shapes/source_test.safetensors")
    target = Labelled.load("data/shapes/target_test.safetensors")
    unknown = Labelled.load("data/shapes/unknown_test.safetensors")
    figures = {"base": scoring.measure(Predictions(source, device).logits(base), source.labels)}
    on_target = Predictions(target, device)
    for name in contenders.NAMES:
        model = models.load(f"data/transfer/{name}.safetensors")
        figures[name] = scoring.measure(on_target.logits(model), target.labels)
    transferred = models.load("data/transfer/transfer.safetensors")
    samples = [
        comparison.samples(base, source, device, SHOWN),
        comparison.samples(transferred, target, device, SHOWN),
        comparison.samples(transferred, unknown, device, SHOWN, target.classes),
    ]
    artifacts.save_json("metrics/transfer.json", figures)
    artifacts.save_tensors(
        "data/evaluation/shapes.safetensors",
        {"images": np.concatenate([images for images, _ in samples])},
        {"kind": "samples", "rows": [row for _, rows in samples for row in rows]},
    )
