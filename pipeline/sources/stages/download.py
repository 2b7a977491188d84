"""Obtains the images of the first question, whatever their source, in one form."""

from pathlib import Path

from pipeline.sources import catalogue
from pipeline.sources.data import Data


def main(data: Data) -> None:
    catalogue.write(data, Path("data/images"))
