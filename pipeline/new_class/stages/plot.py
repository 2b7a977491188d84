"""Draws the pictures of what was found on test data."""

from matplotlib.figure import Figure

from pipeline.core import artifacts
from pipeline.new_class import figures
from pipeline.scoring import pictures

TABLES = "plots/new_class/tables"


def main() -> None:
    metrics = artifacts.load_json("metrics/new_class.json")
    save("methods", figures.comparison(metrics))
    save("confusion", figures.confusion(artifacts.load_table(f"{TABLES}/confusion.csv")))
    save("detection", figures.detection(artifacts.load_table(f"{TABLES}/detection.csv")))
    save("training", figures.training(artifacts.load_tables("plots/new_class/curves")))
    strength = artifacts.load_table(f"{TABLES}/strength.csv")
    if not strength.empty:
        save("strength", figures.strength(strength))
    studies = artifacts.load_table(f"{TABLES}/studies.csv")
    if not studies.empty:
        save("studies", figures.studies(studies))
        save("tradeoff", figures.tradeoff(studies))
    save("mistakes", mistakes())


def save(name: str, figure: Figure) -> None:
    """Saves a figure among the pictures."""
    artifacts.save_bytes(f"plots/new_class/pictures/{name}.png", pictures.png(figure))


def mistakes() -> Figure:
    """The most confident mistakes of every method, a row each."""
    arrays, about = artifacts.load_tensors("data/new_class/mistakes.safetensors", "mistakes")
    rows, classes = about["rows"], about["classes"]
    captions = [
        f"{classes[row['actual']]} taken for {classes[row['predicted']]}\n{row['confidence']:.1%}"
        for row in rows
    ]
    return pictures.captioned(arrays["images"], captions, [row["method"] for row in rows])
