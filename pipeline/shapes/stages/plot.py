"""Draws the pictures of what was learned of shapes."""

from matplotlib.figure import Figure

from pipeline.core import artifacts
from pipeline.scoring import pictures
from pipeline.shapes import figures

PICTURES = "plots/shapes/pictures"


def main() -> None:
    few_labels = figures.few_labels(artifacts.load_table("plots/shapes/tables/few_labels.csv"))
    artifacts.save_bytes(f"{PICTURES}/few_labels.png", pictures.png(few_labels))
    artifacts.save_bytes(f"{PICTURES}/samples.png", pictures.png(samples()))


def samples() -> Figure:
    """Some images of every shape, with what they are taken for."""
    arrays, about = artifacts.load_tensors("data/shapes/samples.safetensors", "samples")
    rows = about["rows"]
    captions = [
        f"{row['predicted']} {row['probability']:.0%}"
        if row["predicted"] == row["likeliest"]
        else f"{row['predicted']}\n({row['likeliest']} {row['probability']:.0%})"
        for row in rows
    ]
    return pictures.captioned(arrays["images"], captions, [row["actual"] for row in rows])
