"""Scores the ways to learn new shapes on test images, those of unknown shapes among them."""

from pipeline import artifacts, shape_comparison
from pipeline.compute import Compute
from pipeline.datasets import Labelled


def main(compute: Compute) -> None:
    device = compute.start()
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
