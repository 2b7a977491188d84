"""A model for use: the run's own answers, its thresholds, another strength."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from pipeline.app.models import Predictor
from pipeline.core import artifacts
from pipeline.core.errors import InputError
from pipeline.core.labelled import Labelled
from pipeline.new_class import results
from pipeline.new_class.evaluation import answers
from tests.project import Project


@pytest.mark.parametrize("method", ["base", "lora", "replay"])
def test_answers_are_those_that_evaluate_wrote(run: Project, method: str) -> None:
    predictor = Predictor.load(method)
    test = Labelled.load("data/images/test")
    found = predictor.answers(test.inputs)
    [written] = answers.load(method)
    assert [each.name for each in found] == [test.classes[label] for label in written.predicted]
    assert np.allclose([each.probability for each in found], written.confidence, atol=1e-6)
    assert all(sum(each.probabilities.values()) == pytest.approx(1) for each in found)
    assert all(each.probabilities[each.name] == each.probability for each in found)


@pytest.mark.parametrize("method", ["base", "lora", "replay"])
def test_95_percent_of_the_validation_images_are_known(run: Project, method: str) -> None:
    predictor = Predictor.load(method)
    validation = results.validation("split")
    taught = validation.where(~validation.is_new) if method == "base" else validation
    known = np.array([each.known for each in predictor.answers(taught.inputs)])
    assert 0.95 <= known.mean() <= 0.95 + 2 / len(known)


def test_base_calls_more_unknown_of_what_it_was_not_taught(run: Project) -> None:
    test = Labelled.load("data/images/test")
    zeros = test.where(test.labels == 0)
    shares = [
        np.mean([each.known for each in Predictor.load(method).answers(zeros.inputs)])
        for method in ("base", "lora")
    ]
    assert shares[0] < shares[1]
    told = Predictor.load().card.models["base"].known
    assert told.passed_others == pytest.approx(shares[0], abs=1e-6)


def test_strength_0_is_the_base_and_1_the_method_bit_for_bit(run: Project) -> None:
    lora, base = Predictor.load("lora"), Predictor.load()
    images = results.validation("split").inputs
    assert torch.equal(lora.at_strength(0).logits(images), base.logits(images))
    assert torch.equal(lora.at_strength(1).logits(images), lora.logits(images))
    assert not torch.allclose(lora.at_strength(0.5).logits(images), lora.logits(images))
    with pytest.raises(InputError, match="replay has no strength"):
        Predictor.load("replay").at_strength(0.5)


def test_head_on_features_gives_the_logits(run: Project) -> None:
    predictor = Predictor.load("replay")
    images = results.validation("split").inputs[:20]
    with torch.inference_mode():
        logits = predictor.model.head(predictor.features(images))
    assert torch.allclose(logits, predictor.logits(images), atol=1e-5)


def test_a_picture_of_a_training_image_is_that_image(run: Project, pictures: Path) -> None:
    predictor = Predictor.load("lora")
    test = Labelled.load("data/images/test")
    for file in sorted(pictures.rglob("*.png"))[:5]:
        assert np.array_equal(predictor.prepare(file), test.inputs[int(file.stem)])
        assert np.array_equal(predictor.prepare(file.read_bytes()), test.inputs[int(file.stem)])


def test_rows_of_a_table_are_no_pictures(run: Project, pictures: Path) -> None:
    predictor = Predictor.load()
    card = predictor.card.model_copy(update={"shape": [64]})
    with pytest.raises(InputError, match="takes rows of a table, not pictures"):
        replace(predictor, card=card).prepare(next((pictures / "4").iterdir()))


def test_a_photograph_is_turned_made_grey_and_resized(run: Project, tmp_path: Path) -> None:
    pixels = np.zeros((60, 80, 3), np.uint8)
    pixels[:, :40] = 255
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(pixels).save(tmp_path / "x.jpg", exif=exif)
    image = Predictor.load().prepare(tmp_path / "x.jpg")
    assert image.shape == (1, 28, 28)
    assert image[0, :10].min() > 200, "what was on the left is on top"
    assert image[0, 18:].max() < 50


def test_weights_alone_are_needed_and_others_are_refused(
    run: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in ("base", "methods", "new_class"):
        shutil.copytree(run.folder / "data" / folder, tmp_path / "data" / folder)
    monkeypatch.chdir(tmp_path)
    assert Predictor.load("lora").classes == [str(digit) for digit in range(10)]
    shutil.copy("data/methods/replay/weights.safetensors", "data/base/more.safetensors")
    with pytest.raises(InputError, match=r"data/base: another model than .*card\.json tells of"):
        Predictor.load()
    with pytest.raises(InputError, match="tells of no method lroa; did you mean lora"):
        Predictor.load("lroa")
    content = artifacts.load_json("data/new_class/card.json")
    artifacts.save_json("data/new_class/card.json", content | {"shape": "28"})
    with pytest.raises(InputError, match=r"card\.json: no card of this version: shape"):
        Predictor.load()
