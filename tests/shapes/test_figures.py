"""Pictures of what was learned of shapes."""

from pipeline.core import artifacts
from pipeline.scoring.pictures import png
from pipeline.shapes import figures
from tests.project import Project


def test_equal_tables_give_equal_bytes(finished: Project) -> None:
    plots = finished.folder / "plots/shapes"
    table = artifacts.load_table(plots / "tables/few_labels.csv")
    picture = png(figures.few_labels(table))
    assert picture == png(figures.few_labels(table))
    assert picture == (plots / "pictures/few_labels.png").read_bytes()
    assert png(figures.few_labels(table.assign(ci95=0.02))) != picture
