"""Scores the ways to learn new shapes on test images, those of unknown shapes among them."""

from pipeline.core import artifacts
from pipeline.core.labelled import Labelled
from pipeline.learning.compute import Compute
from pipeline.shapes import comparison


def main(compute: Compute) -> None:
    device = compute.start()
    source, target, unknown = (
        Labelled.load(f"data/shapes/images/{task}_test") for task in ("source", "target", "unknown")
    )
    figures = comparison.transfers(source, target, device)
    figures |= comparison.both(source, target, unknown, figures["base"], device)
    few_labels = comparison.few_labels(target, device)
    figures["labels_for_95"] = comparison.labels_needed(few_labels)
    figures["few_labels"] = comparison.curves(few_labels)
    images, rows = comparison.samples(source, target, unknown, device)

    artifacts.save_json("metrics/shapes.json", figures)
    artifacts.save_table("plots/shapes/tables/few_labels.csv", few_labels)
    artifacts.save_tensors(
        "data/shapes/samples.safetensors", {"images": images}, {"kind": "samples", "rows": rows}
    )
