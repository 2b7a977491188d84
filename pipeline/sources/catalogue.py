"""The section `data`, and the sources that it may name."""

from importlib import import_module
from typing import Literal

from pipeline.core.labelled import Labelled
from pipeline.core.params import Section

Source = Literal["mnist", "digits"]


class Data(Section):
    """Where images come from."""

    source: Source


def load(data: Data) -> tuple[Labelled, Labelled]:
    """Obtains the training and the test images of a source.

    Raises:
        InputError: if they can't be had, or aren't what the source promises.
    """
    parts: tuple[Labelled, Labelled] = import_module(f"pipeline.sources.{data.source}").load()
    return parts
