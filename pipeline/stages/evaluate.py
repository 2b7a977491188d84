"""Scores the ways to learn the new classes on the test data, which no earlier stage reads."""

from pipeline import artifacts, comparison, methods
from pipeline.compute import Compute
from pipeline.datasets import Labelled
from pipeline.predictions import Predictions

SHOWN = 8
"""Mistakes shown of each method."""


def main(compute: Compute) -> None:
    device = compute.start()
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
