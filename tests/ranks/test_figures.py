"""Pictures of the rank sweep."""

from collections.abc import Callable

import pandas as pd
import pytest
from matplotlib.figure import Figure

from pipeline.core import artifacts
from pipeline.ranks import figures
from pipeline.scoring.style import png
from tests.project import Project


@pytest.mark.parametrize("name", ["sweep", "mistakes"])
def test_equal_tables_give_equal_bytes(name: str, finished: Project) -> None:
    plots = finished.folder / "plots/ranks"
    table = artifacts.load_table(plots / f"tables/{name}.csv")
    draw: Callable[[pd.DataFrame], Figure] = getattr(figures, name)
    assert png(draw(table)) == png(draw(table)) == (plots / f"pictures/{name}.png").read_bytes()


def test_sweep_without_the_published_setting_is_drawn(finished: Project) -> None:
    tables = finished.folder / "plots/ranks/tables"
    sweep = artifacts.load_table(tables / "sweep.csv")
    mistakes = artifacts.load_table(tables / "mistakes.csv")
    drawn = figures.sweep(sweep[sweep["setting"] == "tuned"])
    assert labels(drawn) == {
        f"{name}, own learning rate" for name in ("LoRA", "all weights", "last layer")
    }
    drawn = figures.mistakes(mistakes[~mistakes["published"]])
    assert [axis.get_title() for axis in drawn.axes] == ["mistakes by class, own learning rate"]


def test_sweep_without_a_last_layer_is_drawn(finished: Project) -> None:
    sweep = artifacts.load_table(finished.folder / "plots/ranks/tables/sweep.csv")
    drawn = figures.sweep(sweep[sweep["contender"] != "last_layer"])
    assert {label.partition(",")[0] for label in labels(drawn)} == {"LoRA", "all weights"}


def labels(figure: Figure) -> set[str]:
    """What the legend names."""
    return {text.get_text() for legend in figure.legends for text in legend.get_texts()}


def test_intervals_of_several_seeds_are_drawn(finished: Project) -> None:
    table = artifacts.load_table(finished.folder / "plots/ranks/tables/sweep.csv")
    intervals = {"accuracy_ci95": 0.01, "accuracy_old_ci95": 0.01}
    assert png(figures.sweep(table.assign(**intervals))) != png(figures.sweep(table))
