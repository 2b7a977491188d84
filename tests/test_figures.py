"""Pictures: drawn from the tables of a finished project, and the same every time."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from pipeline import artifacts, figures
from tests.project import Project


@pytest.mark.parametrize(
    "name",
    ["confusion", "detection", "strength", "training", "studies", "rank_sweep", "rank_mistakes"],
)
def test_equal_tables_give_equal_bytes(name: str, finished: Project) -> None:
    table = artifacts.load_table(finished.folder / f"plots/{name}.csv")
    draw = getattr(figures, name)
    picture = figures.png(draw(table))
    assert picture == figures.png(draw(table))
    assert picture == (finished.folder / f"plots/{name}.png").read_bytes()


def test_pictures_are_as_wide_as_a_page_and_not_empty(finished: Project) -> None:
    pictures = sorted(finished.folder.glob("plots/*.png"))
    assert len(pictures) == 12
    for path in pictures:
        with Image.open(path) as image:
            assert image.width == 900, path.name
            assert np.asarray(image.convert("L")).std() > 5, path.name


def test_values_outside_the_accuracy_axis_are_no_error() -> None:
    table = pd.DataFrame(
        {
            "method": ["a"] * 2,
            "data": ["test", "validation"],
            "strength": [0.0, 0.0],
            "chosen": [True, True],
            "accuracy": [0.1, 0.2],
            "accuracy_old": [0.0, 1.0],
            "accuracy_new": [1.0, 0.0],
        }
    )
    assert figures.png(figures.strength(table)).startswith(b"\x89PNG")


def test_sweep_without_the_published_setting_is_drawn(finished: Project) -> None:
    sweep = artifacts.load_table(finished.folder / "plots/rank_sweep.csv")
    mistakes = artifacts.load_table(finished.folder / "plots/rank_mistakes.csv")
    for drawing in (
        figures.rank_sweep(sweep[sweep["setting"] == "tuned"]),
        figures.rank_mistakes(mistakes[~mistakes["published"]]),
    ):
        assert figures.png(drawing).startswith(b"\x89PNG")
