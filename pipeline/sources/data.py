"""The section `data`: where images come from, and the form that they are brought to."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator

from pipeline.core.params import Place, Section, Seed

Digits = Literal["mnist", "digits"]
"""Sources whose images are digits of one form."""
Source = Literal[Digits, "sign_language", "cifar10", "folder", "table"]
SIZES = range(8, 1025)
"""Pixels a side."""


def _size(value: Any) -> Any:
    if value == "auto" or (type(value) is int and value in SIZES):
        return value
    raise ValueError(f"auto or a whole number from {SIZES[0]} to {SIZES[-1]} accepted")


def _channels(value: Any) -> Any:
    if value == "auto" or (type(value) is int and value in (1, 3)):
        return value
    raise ValueError("auto, 1 (grey) or 3 (colours) accepted")


class Data(Section):
    """Where images come from, and the form that they are brought to.

    `path` is where `folder` and `table` find theirs. `test` is the share held out by `seed` where a
    source has no test part, `label` the column of a table with the classes. `size` (pixels a side)
    and `channels` are the source's own if they are `auto`; `fit` cuts the middle out of pictures
    that are no squares, or pads them.
    """

    source: Source
    path: Place
    test: float = Field(gt=0, lt=1)
    seed: Seed
    label: str = Field(min_length=1)
    size: Annotated[int | Literal["auto"], BeforeValidator(_size)]
    channels: Annotated[Literal["auto", 1, 3], BeforeValidator(_channels)]
    fit: Literal["crop", "pad"]

    @field_validator("size", "channels")
    @classmethod
    def _of_pictures(cls, value: Any, info: ValidationInfo) -> Any:
        if info.data.get("source") == "table" and value != "auto":
            raise ValueError("a table has no pictures; auto accepted")
        return value
