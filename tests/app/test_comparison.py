"""The models of a run side by side: the form of a picture, and the methods that are there."""

import io
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from pipeline.app.serve import drawing
from pipeline.app.serve.comparison import Comparison
from pipeline.core import artifacts
from pipeline.core.errors import InputError
from pipeline.new_class.evaluation import card
from pipeline.sources import catalogue, pictures
from pipeline.sources.data import Data
from tests.app.test_drawing import SEVEN, stroke
from tests.project import Project

Edit = Callable[..., None]


@pytest.fixture
def edit(run: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Edit:
    """Changes the card of a copy of the run, which is the current directory."""
    for name in ("data", "plots"):
        shutil.copytree(run.folder / name, tmp_path / name)
    monkeypatch.chdir(tmp_path)

    def change(**changes: Any) -> None:
        artifacts.save_json(card.PATH, artifacts.load_json(card.PATH) | changes)

    return change


def png(image: npt.NDArray[np.uint8]) -> bytes:
    """A grey image, `(1, height, width)`, as a file."""
    content = io.BytesIO()
    Image.fromarray(image[0]).save(content, "PNG")
    return content.getvalue()


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(("size", "height"), [(16, 11), (28, 20), (56, 40), (200, 143)])
def test_a_digit_is_as_high_as_in_training_images_of_that_form(
    edit: Edit, size: int, height: int, channels: int
) -> None:
    edit(source="mnist", shape=[channels, size, size])
    comparison = Comparison(["lora"])
    seen = comparison.prepare(png(stroke(*SEVEN)))
    assert seen.shape == (channels, size, size)
    assert (seen == seen[:1]).all()
    rows = np.flatnonzero((seen[0] > 100).any(1))
    assert np.ptp(rows) + 1 == pytest.approx(height, abs=max(1, size / 28))
    image = drawing.digit(stroke(*SEVEN), 28, 20)  # of the form that MNIST's images have
    assert np.array_equal(comparison.prepare(png(image)), seen)


def test_what_has_the_form_of_the_source_goes_as_its_images_went(
    edit: Edit, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    train, test = catalogue.load("digits")
    data = Data(
        source="digits", path="-", test=0.2, seed=0, label="-", size=40, channels=3, fit="pad"
    )
    monkeypatch.setattr(catalogue, "load", lambda _: (train.where(np.arange(1)), test))
    catalogue.write(data, tmp_path / "formed")
    formed = artifacts.load_rows(tmp_path / "formed/test/inputs.npy")
    edit(shape=[3, 40, 40], fit="pad")
    comparison = Comparison(["lora"])
    for image, expected in zip(test.inputs[:5], formed, strict=False):
        drawn = drawing.digit(image, 28, drawing.HEIGHTS["digits"])
        seen = comparison.prepare(png(image))
        assert np.array_equal(seen, pictures.resized(drawn, 40, 3, "pad"))
        assert seen.shape == expected.shape
        assert np.corrcoef(seen.ravel(), expected.ravel())[0, 1] > 0.5


def test_methods_that_the_run_left_out_are_not_shown(edit: Edit) -> None:
    models = artifacts.load_json(card.PATH)["models"]
    edit(models={name: models[name] for name in ("base", "lora")})
    comparison = Comparison(["slda", "lora", "replay"])
    assert [method.name for method in comparison.about.methods] == ["lora"]
    with pytest.raises(InputError, match=r"card\.json: tells of no method of params.yaml \(slda\)"):
        Comparison(["slda"])
