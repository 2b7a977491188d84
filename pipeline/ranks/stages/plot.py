"""Draws the pictures of the rank sweep."""

from pipeline.core import artifacts
from pipeline.ranks import figures
from pipeline.scoring import pictures

PICTURES = "plots/ranks/pictures"


def main() -> None:
    sweep = figures.sweep(artifacts.load_table("plots/ranks/tables/sweep.csv"))
    mistakes = figures.mistakes(artifacts.load_table("plots/ranks/tables/mistakes.csv"))
    artifacts.save_bytes(f"{PICTURES}/sweep.png", pictures.png(sweep))
    artifacts.save_bytes(f"{PICTURES}/mistakes.png", pictures.png(mistakes))
