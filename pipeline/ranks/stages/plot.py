"""Draws the pictures of the rank sweep."""

from pipeline.core import artifacts
from pipeline.ranks import figures
from pipeline.scoring import style

TABLES, PICTURES = "plots/ranks/tables", "plots/ranks/pictures"


def main() -> None:
    sweep = artifacts.load_table(f"{TABLES}/sweep.csv")
    mistakes = artifacts.load_table(f"{TABLES}/mistakes.csv")
    style.save(f"{PICTURES}/sweep.png", figures.sweep(sweep))
    style.save(f"{PICTURES}/mistakes.png", figures.mistakes(mistakes))
