"""Scores the ways to learn the new classes on the test data, which no earlier stage reads."""

from pipeline.core import artifacts
from pipeline.core.labelled import Labelled
from pipeline.learning.compute import Compute
from pipeline.new_class import results
from pipeline.new_class.evaluation import answers, card, comparison, continual, learned
from pipeline.scoring.predictions import Predictions
from pipeline.sources.data import Data

TABLES = "plots/new_class/tables"
SHOWN = 8
"""Mistakes shown of each method."""


def main(compute: Compute, data: Data, methods: list[str]) -> None:
    device = compute.start()
    validation = results.validation("split")
    results.require_new(validation)
    test = Labelled.load("data/images/test").named(validation.classes)
    test = test._replace(new=validation.new, steps=validation.steps)
    compared = learned.load(methods)
    for method in compared:
        for model in filter(None, (method.model, method.tuned)):
            model.to(device)
    on_test, on_validation = Predictions(test, device), Predictions(validation, device)
    on_samples = Predictions(
        results.validation_without_old_images(), device, trunk=compared[0].model.trunk
    )
    logits = {method.name: on_test.logits(method.model) for method in compared}
    strength = [
        *comparison.strength(compared, on_validation, "validation"),
        *comparison.strength(compared, on_test, "test"),
    ]
    steps, of_steps = continual.rows(compared, on_test, test)
    mistakes = comparison.mistakes(logits, test, SHOWN)
    figures = continual.with_measures(comparison.figures(compared, logits, test), of_steps)

    artifacts.save_json("metrics/new_class.json", figures)
    for name, values in logits.items():
        rows = comparison.predictions(values, test)
        artifacts.save_table(f"plots/new_class/predictions/{name}.csv", rows)
    for method in compared:
        if method.curve:
            artifacts.save_table(f"plots/new_class/curves/{method.name}.csv", method.curve)
    artifacts.save_table(f"{TABLES}/confusion.csv", comparison.confusion(logits, test))
    artifacts.save_table(f"{TABLES}/detection.csv", comparison.detection(logits, test))
    artifacts.save_table(f"{TABLES}/mcnemar.csv", comparison.mcnemar(logits, test))
    artifacts.save_table(f"{TABLES}/strength.csv", strength)
    artifacts.save_table(f"{TABLES}/steps.csv", steps)
    artifacts.save_table(f"{TABLES}/studies.csv", comparison.studies(compared))
    artifacts.save_tensors(
        "data/new_class/mistakes.safetensors",
        {"images": test.inputs[[row["image"] for row in mistakes]]},
        {"kind": "mistakes", "rows": mistakes, "classes": test.classes},
    )
    card.of_run(compared, on_validation, on_samples, logits, test, data).save()
    answers.save(logits, test)
