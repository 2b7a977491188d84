"""Draws the pictures of what was learned of shapes."""

from pipeline.core import artifacts
from pipeline.scoring import style
from pipeline.shapes import figures

PICTURES = "plots/shapes/pictures"


def main() -> None:
    few_labels = artifacts.load_table("plots/shapes/tables/few_labels.csv")
    samples = artifacts.load_tensors("data/shapes/samples.safetensors", "samples")
    style.save(f"{PICTURES}/few_labels.png", figures.few_labels(few_labels))
    style.save(f"{PICTURES}/samples.png", figures.samples(*samples))
