"""Pictures of what was learned of shapes."""

import numpy as np

from pipeline.core import artifacts
from pipeline.scoring.style import png
from pipeline.shapes import figures
from tests.project import Project


def test_equal_tables_give_equal_bytes(finished: Project) -> None:
    plots = finished.folder / "plots/shapes"
    table = artifacts.load_table(plots / "tables/few_labels.csv")
    picture = png(figures.few_labels(table))
    assert picture == png(figures.few_labels(table))
    assert picture == (plots / "pictures/few_labels.png").read_bytes()
    assert png(figures.few_labels(table.assign(ci95=0.02))) != picture


def test_images_called_unknown_say_what_they_are_likest_to() -> None:
    known = {"actual": "star", "predicted": "star", "likeliest": "star", "probability": 0.98}
    unknown = {"actual": "cross", "predicted": "unknown", "likeliest": "star", "probability": 0.61}
    images = np.zeros((2, 3, 8, 8), np.uint8)
    figure = figures.samples({"images": images}, {"rows": [known, unknown]})
    shown = [axis.get_title() for axis in figure.axes]
    assert shown == ["star 98%", "unknown\n(star 61%)"]
