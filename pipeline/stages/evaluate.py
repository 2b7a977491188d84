"""Scores every method on the test data: the one stage that reads them."""

import torch

from pipeline import artifacts, comparison, methods, shape_comparison, sweep_comparison
from pipeline.compute import Compute
from pipeline.datasets import Labelled
from pipeline.predictions import Predictions

SHOWN = 8
"""Mistakes shown of each method."""


def main(compute: Compute) -> None:
    device = compute.start()
    digits(device)
    ranks(device)
    shapes(device)


def digits(device: torch.device) -> None:
    """Compares the ways to learn the new classes."""
    test = Labelled.load("data/split/test.safetensors")
    validation = Labelled.load("data/split/validation.safetensors")
    learned = methods.load_all()
    for method in learned:
        for model in filter(None, (method.model, method.tuned)):
            model.to(device)
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
    artifacts.save_table("plots/detection.csv", comparison.detection(logits, test))
    artifacts.save_table("plots/mcnemar.csv", comparison.mcnemar(logits, test))
    artifacts.save_table("plots/strength.csv", strength)
    artifacts.save_table("plots/training.csv", comparison.collected(learned, "curve"))
    artifacts.save_table("plots/studies.csv", comparison.collected(learned, "study"))
    artifacts.save_tensors(
        "data/evaluation/mistakes.safetensors",
        {"images": test.inputs[[row["image"] for row in mistakes]]},
        {"kind": "mistakes", "rows": mistakes, "classes": test.classes},
    )


def ranks(device: torch.device) -> None:
    """Compares LoRA at several ranks with full fine-tuning."""
    test = Labelled.load("data/split/test.safetensors")
    figures, mistakes = sweep_comparison.figures(test, device)
    artifacts.save_json("metrics/rank_sweep.json", figures)
    artifacts.save_table("plots/rank_sweep.csv", sweep_comparison.table(figures))
    artifacts.save_table("plots/rank_mistakes.csv", mistakes)


def shapes(device: torch.device) -> None:
    """Compares the ways to learn new shapes."""
    source, target, unknown = (
        Labelled.load(f"data/shapes/{task}_test.safetensors")
        for task in ("source", "target", "unknown")
    )
    figures = shape_comparison.transfers(source, target, device)
    both, images, rows = shape_comparison.both(source, target, unknown, figures["base"], device)
    efficiency = shape_comparison.label_efficiency(target, device)
    needed = shape_comparison.labels_needed(efficiency)

    curves = {
        name: {
            str(row["labels"]): row["accuracy"] for row in efficiency if row["contender"] == name
        }
        for name in needed
    }
    summed_up = {"labels_for_95": needed, "label_efficiency": curves}
    artifacts.save_json("metrics/transfer.json", figures | both | summed_up)
    artifacts.save_table("plots/label_efficiency.csv", efficiency)
    artifacts.save_tensors(
        "data/evaluation/shapes.safetensors", {"images": images}, {"kind": "samples", "rows": rows}
    )
