"""Obtains the images of the first question, and proves that they are the published ones."""

from pipeline.sources import catalogue
from pipeline.sources.catalogue import Data


def main(data: Data) -> None:
    train, test = catalogue.load(data)
    train.save("data/images/train")
    test.save("data/images/test")
