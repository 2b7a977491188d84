"""How pictures look here."""

import numpy as np
from PIL import Image

from pipeline.scoring import pictures
from tests.project import Project


def test_pictures_are_as_wide_as_a_page_and_not_empty(finished: Project) -> None:
    found = sorted(finished.folder.glob("plots/*/pictures/*.png"))
    assert len(found) == 12
    for path in found:
        with Image.open(path) as image:
            assert image.width == 900, path.name
            assert np.asarray(image.convert("L")).std() > 5, path.name


def test_captioned_images_stand_in_a_row_for_each_group() -> None:
    images = np.random.default_rng(0).integers(256, size=(5, 3, 8, 8), dtype=np.uint8)
    figure = pictures.captioned(images, list("vwxyz"), ["lora", "lora", "lora", "full", "full"])
    shown = [axis.get_title() for axis in figure.axes]
    assert shown == ["v", "w", "x", "y", "z", ""]
    assert [text.get_text() for axis in figure.axes for text in axis.texts] == [
        "LoRA",
        "all weights",
    ]
    assert pictures.png(figure).startswith(b"\x89PNG")
