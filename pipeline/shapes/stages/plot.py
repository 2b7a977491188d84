"""Draws the pictures of what was learned of shapes."""

from pipeline.core import artifacts
from pipeline.scoring import pictures
from pipeline.shapes import figures

PICTURES = "plots/shapes/pictures"


def main() -> None:
    few_labels = artifacts.load_table("plots/shapes/tables/few_labels.csv")
    samples = artifacts.load_tensors("data/shapes/samples.safetensors", "samples")
    pictures.save(f"{PICTURES}/few_labels.png", figures.few_labels(few_labels))
    pictures.save(f"{PICTURES}/samples.png", figures.samples(*samples))
