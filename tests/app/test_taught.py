"""A class of one's own: what is learned, what it costs, and its file."""

import json

import numpy as np
import pytest
import safetensors.numpy
import torch

from pipeline.app import taught
from pipeline.app.models import Predictor
from pipeline.app.taught import Kept, Taught
from pipeline.core import params
from pipeline.core.errors import InputError
from pipeline.core.labelled import Labelled
from pipeline.learning import rows
from pipeline.new_class import results
from pipeline.techniques.statistics.gaussians import Gaussians
from pipeline.techniques.statistics.new_row import NewRow
from tests.project import Project


@pytest.fixture
def base(run: Project) -> Predictor:
    return Predictor.load()


@pytest.fixture
def zero(base: Predictor) -> Taught:
    """The 0, which the base was not taught, from three images."""
    images = Labelled.load("data/images/test")
    return learn(base, images, 3)


def learn(base: Predictor, images: Labelled, count: int) -> Taught:
    settings = NewRow(**params.read()["new_row"])
    zeros = np.asarray(images.inputs[images.labels == 0][:count])
    return taught.teach(base, list(zeros), "0", Kept.load(), settings, 0)


def test_a_class_is_found_and_the_old_logits_stay(base: Predictor, zero: Taught) -> None:
    images = Labelled.load("data/images/test")
    inputs = np.asarray(images.inputs)
    logits = zero.logits(base, inputs)
    assert torch.equal(logits[:, :-1], base.logits(inputs)[:, 1:])
    found = torch.tensor([answer.name == "0" for answer in zero.answers(base, inputs)])
    is_zero = torch.from_numpy(images.labels == 0)
    assert found[is_zero].float().mean() > 0.8
    assert found[~is_zero].float().mean() < 0.1


def test_the_cost_is_counted_on_validation_images(base: Predictor, zero: Taught) -> None:
    images = results.validation("split")
    before = np.array(base.classes)[
        1 + base.logits(np.asarray(images.inputs))[:, 1:].argmax(1).numpy()
    ]
    after = np.array([answer.name for answer in zero.answers(base, np.asarray(images.inputs))])
    actual = np.array(images.classes)[images.labels]
    told = zero.figures
    old = actual != "0"
    assert told.old.images == old.sum()
    assert told.old.right == (old & (before == actual)).sum()
    assert told.old.lost == (old & (before == actual) & (after == "0")).sum()
    assert sum(each.lost for each in told.by_class.values()) == told.old.lost
    assert list(told.by_class) == base.classes[1:]
    assert told.new
    assert told.new.found == (~old & (after == "0")).sum()


def test_the_file_gives_the_same_class_and_the_same_bytes(base: Predictor, zero: Taught) -> None:
    again = Taught.from_bytes(zero.to_bytes(), base)
    assert again.to_bytes() == zero.to_bytes()
    assert again.figures == zero.figures
    images = np.asarray(Labelled.load("data/images/test").inputs[:50])
    assert torch.equal(again.logits(base, images), zero.logits(base, images))
    assert learn(base, Labelled.load("data/images/test"), 3).to_bytes() == zero.to_bytes()


def test_where_nothing_was_kept_of_the_old_classes_none_is_learned(base: Predictor) -> None:
    images = Labelled.load("data/images/test")
    kept = Kept.load()
    nothing = kept._replace(gaussians=Gaussians.nothing(kept.gaussians.means.shape[1]))
    settings = NewRow(**params.read()["new_row"])
    with pytest.raises(InputError, match=r"gaussians\.safetensors: has statistics of no class; "):
        taught.teach(base, [np.asarray(images.inputs[0])], "zero", nothing, settings, 0)


def test_damaged_and_foreign_files_are_refused(base: Predictor, zero: Taught) -> None:
    content = zero.to_bytes()
    arrays = safetensors.numpy.load(content)
    size = int.from_bytes(content[:8], "little")
    about = json.loads(json.loads(content[8 : 8 + size])["__metadata__"]["about"])

    def file(given: dict[str, np.ndarray], **changes: object) -> bytes:
        return safetensors.numpy.save(given, {"about": json.dumps(about | changes)})

    assert Taught.from_bytes(file(arrays), base).name == "0"
    bad = {
        "nothing": b"",
        "cut": content[:-3],
        "other base": file(arrays, base="0" * 64),
        "no base": file(arrays, base=None),
        "other kind": file(arrays, kind="a model"),
        "no kind": safetensors.numpy.save(arrays, {"about": "[]"}),
        "old name": file(arrays, **{"class": "5"}),
        "no name": file(arrays, **{"class": None}),
        "no figures": file(arrays, figures=None),
        "bad figures": file(arrays, figures=about["figures"] | {"examples": -1}),
        "no row": file({"bias": arrays["bias"]}),
        "short row": file(arrays | {"weight": arrays["weight"][:-1]}),
        "not finite": file(arrays | {"bias": np.array([np.nan], np.float32)}),
        "double": file(arrays | {"weight": arrays["weight"].astype(np.float64)}),
    }
    for name, each in bad.items():
        with pytest.raises(InputError) as refusal:
            Taught.from_bytes(each, base, name)
        assert str(refusal.value).startswith((f"{name}: ", "the name", "5 is a class"))
    assert about["kind"] == rows.KIND
