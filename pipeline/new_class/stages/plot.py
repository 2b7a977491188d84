"""Draws the pictures of what was found on test data."""

from pipeline.core import artifacts
from pipeline.new_class import figures, step_figures, training_figures
from pipeline.scoring import style

TABLES, PICTURES = "plots/new_class/tables", "plots/new_class/pictures"


def main() -> None:
    metrics = artifacts.load_json("metrics/new_class.json")
    confusion = artifacts.load_table(f"{TABLES}/confusion.csv")
    detection = artifacts.load_table(f"{TABLES}/detection.csv")
    curves = artifacts.load_tables("plots/new_class/curves")
    strength = artifacts.load_table(f"{TABLES}/strength.csv")
    steps = artifacts.load_table(f"{TABLES}/steps.csv")
    studies = artifacts.load_table(f"{TABLES}/studies.csv")
    mistakes = artifacts.load_tensors("data/new_class/mistakes.safetensors", "mistakes")

    compared = len(metrics) > 1  # beside the base
    if compared:
        style.save(f"{PICTURES}/methods.png", figures.comparison(metrics))
    style.save(f"{PICTURES}/confusion.png", figures.confusion(confusion))
    if compared and not detection.empty:
        style.save(f"{PICTURES}/detection.png", figures.detection(detection))
    if not curves.empty:
        style.save(f"{PICTURES}/training.png", training_figures.training(curves))
    if not steps.empty:
        style.save(f"{PICTURES}/steps.png", step_figures.curves(steps))
        style.save(f"{PICTURES}/steps_matrix.png", step_figures.matrices(steps))
    if mistakes.arrays["images"].ndim > 2:  # rows of a table can't be shown
        style.save(f"{PICTURES}/mistakes.png", figures.mistakes(*mistakes))
    if not strength.empty:
        style.save(f"{PICTURES}/strength.png", training_figures.strength(strength))
    if not studies.empty:
        style.save(f"{PICTURES}/studies.png", training_figures.studies(studies))
        if "accuracy_old" in studies and studies["accuracy_old"].notna().any():
            style.save(f"{PICTURES}/tradeoff.png", training_figures.tradeoff(studies))
