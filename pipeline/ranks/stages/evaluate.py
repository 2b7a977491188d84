"""Scores LoRA at several ranks, and full fine-tuning, on the test data."""

from pipeline.core import artifacts
from pipeline.core.labelled import Labelled
from pipeline.learning.compute import Compute
from pipeline.ranks import comparison


def main(compute: Compute) -> None:
    device = compute.start()
    test = Labelled.load("data/ranks/images/test")
    figures, mistakes = comparison.figures(test, device)
    artifacts.save_json("metrics/ranks.json", figures)
    artifacts.save_table("plots/ranks/tables/sweep.csv", comparison.table(figures))
    artifacts.save_table("plots/ranks/tables/mistakes.csv", mistakes)
