"""The section `data`: what it accepts."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.core import params
from pipeline.core.errors import InputError
from pipeline.sources import digits
from pipeline.sources.data import Data
from tests.sources.made import written

Edit = Callable[[dict[str, Any]], None]


def stage(data: Data) -> None:
    """Reads the section, and nothing else."""


@pytest.mark.parametrize(
    ("key", "value", "problem"),
    [
        ("source", "imagenet", "data.source is 'imagenet': "),
        (
            "path",
            "~/photos",
            f"data.path is '~/photos': ~ is not expanded by DVC; write {Path.home()}",
        ),
        ("path", "", "data.path is '': "),
        ("test", 0, "data.test is 0: "),
        ("test", 1.0, "data.test is 1.0: "),
        ("seed", -1, "data.seed is -1: "),
        ("size", "32", "data.size is '32': auto or a whole number from 8 to 1024 accepted"),
        ("size", 7, "data.size is 7: auto or a whole number"),
        ("size", True, "data.size is True: auto or a whole number"),
        ("channels", 4, r"data.channels is 4: auto, 1 \(grey\) or 3"),
        ("fit", "stretch", "data.fit is 'stretch': "),
        ("label", "", "data.label is '': "),
        ("sizes", 32, "unknown key data.sizes; did you mean data.size"),
    ],
)
def test_bad_value_is_refused_by_name(edit: Edit, key: str, value: Any, problem: str) -> None:
    edit({f"data.{key}": value})
    with pytest.raises(InputError, match=problem):
        params.arguments(stage)


def test_table_has_no_size(edit: Edit) -> None:
    edit({"data.source": "table", "data.size": 32})
    with pytest.raises(InputError, match=r"data\.size is 32: a table has no pictures"):
        params.arguments(stage)


def test_keys_are_all_there_by_default(sources: Path) -> None:
    data = params.arguments(stage)["data"]
    assert (data.source, data.path, data.size) == ("mnist", "data/own", "auto")
    assert (Path(data.path) / "README.md").is_file()


def test_digits_are_written_as_they_are(tmp_path: Path) -> None:
    for found, images in zip(
        written(tmp_path, source="digits", size="auto", channels="auto"), digits.load(), strict=True
    ):
        assert np.array_equal(found.inputs, images.inputs)
        assert np.array_equal(found.labels, images.labels)
        assert (found.classes, found.advice) == (images.classes, images.advice)


def test_digits_in_another_form(tmp_path: Path) -> None:
    train, test = written(tmp_path, source="digits", size=16, channels=3)
    assert train.inputs.shape == (1497, 3, 16, 16)
    assert np.array_equal(test.inputs[:, 0], test.inputs[:, 2])
