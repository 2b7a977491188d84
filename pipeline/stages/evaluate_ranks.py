"""Scores LoRA at several ranks, and full fine-tuning, on the test data."""

from pipeline import artifacts, sweep_comparison
from pipeline.compute import Compute
from pipeline.datasets import Labelled


def main(compute: Compute) -> None:
    device = compute.start()
    test = Labelled.load("data/split/test.safetensors")
    figures, mistakes = sweep_comparison.figures(test, device)
    artifacts.save_json("metrics/rank_sweep.json", figures)
    artifacts.save_table("plots/rank_sweep.csv", sweep_comparison.table(figures))
    artifacts.save_table("plots/rank_mistakes.csv", mistakes)
