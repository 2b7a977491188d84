"""How pictures look here."""

import numpy as np
import pytest
from PIL import Image

from pipeline.core import dag
from pipeline.scoring import style
from tests.project import ROOT, Project


@pytest.mark.parametrize("stage", ["plot", "ranks_plot", "shapes_plot"])
def test_pictures_are_as_wide_as_a_page(stage: str, finished: Project) -> None:
    [folder] = dag.outputs(dag.stages(ROOT)[stage], "plots")
    found = sorted((finished.folder / folder).glob("*.png"))
    assert found
    for path in found:
        with Image.open(path) as image:
            assert image.width == 100 * style.WIDTH, path.name


def test_captioned_images_stand_in_a_row_for_each_group() -> None:
    images = np.random.default_rng(0).integers(256, size=(5, 3, 8, 8), dtype=np.uint8)
    figure = style.captioned(images, list("vwxyz"), ["lora", "lora", "lora", "full", "full"])
    shown = [axis.get_title() for axis in figure.axes]
    assert shown == ["v", "w", "x", "y", "z", ""]
    assert [text.get_text() for axis in figure.axes for text in axis.texts] == [
        "LoRA",
        "all weights",
    ]
    assert style.png(figure).startswith(b"\x89PNG")
