"""The transfer and its controls."""

import pytest
import torch

from pipeline.core import artifacts
from pipeline.learning import changes, models, networks, training
from pipeline.learning.augmentation import turned
from pipeline.learning.training import Recipe
from pipeline.learning.validation import Validation
from pipeline.shapes import contenders, drawing
from pipeline.shapes.contenders import Contender
from tests.project import Project

RECIPE = Recipe(
    epochs=1,
    batch=16,
    learning_rate=0.003,
    optimizer="adamw",
    schedule="one_cycle",
    weight_decay=0.0,
    label_smoothing=0.0,
    patience=5,
)


def convolutions(model: networks.Classifier) -> list[torch.Tensor]:
    return [weight.detach().clone() for weight in model.trunk.parameters()]


@pytest.fixture
def base() -> networks.Classifier:
    torch.manual_seed(5)
    return networks.shape_cnn((3, 64, 64), 3, 0.1)


@pytest.mark.parametrize(
    ("contender", "pretrained", "frozen"),
    list(zip(contenders.ALL, [True, False, False, True], [True, False, True, False], strict=True)),
    ids=[contender.name for contender in contenders.ALL],
)
def test_contender_starts_and_changes_as_it_is_said_to(
    contender: Contender, pretrained: bool, frozen: bool, base: networks.Classifier
) -> None:
    torch.manual_seed(6)
    model = contender.untrained(base, 2)
    before = convolutions(model)
    assert all(map(torch.equal, before, convolutions(base))) == pretrained
    hidden = [each.head.get_submodule("dense_1").state_dict() for each in (model, base)]
    assert torch.equal(hidden[0]["weight"], hidden[1]["weight"]) == pretrained
    assert model.head.get_submodule("output").state_dict()["weight"].shape == (2, 128)

    images, labels = (torch.from_numpy(a) for a in drawing.images(["star", "pentagon"], 16, 64, 0))
    watched = Validation(images, labels, torch.zeros_like(labels, dtype=torch.bool), "overall")
    curve = contenders.train(model, images, labels, RECIPE, watched)
    assert curve[-1]["step"] == (16 if frozen else 2)
    assert all(map(torch.equal, before, convolutions(model))) == frozen


def test_features_are_those_of_every_view_of_each_part(
    base: networks.Classifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contenders, "FEW", 2)
    parts = [
        torch.from_numpy(drawing.images(names, 3, 64, 0)[0]) for names in (["star"], ["cross"])
    ]
    features = contenders.features(base.trunk, parts)
    expected = [
        training.predict(base.trunk, turned(part, view)) for part in parts for view in range(8)
    ]
    torch.testing.assert_close(features, torch.cat(expected).half())


@pytest.mark.parametrize("folder", ["transfer/frozen", "both/exposed", "few_labels/frozen/5"])
def test_frozen_convolutions_are_those_of_the_base_and_not_stored_again(
    folder: str, finished: Project
) -> None:
    data = finished.folder / "data/shapes"
    base = models.load(data / "base/model.safetensors")
    stored, about = artifacts.load_tensors(data / folder / "weights.safetensors", changes.KIND)
    assert about["trunk"] == models.trunk_name(base.trunk)
    assert not any(name.startswith("trunk.") for name in stored)
    loaded = changes.load(data / folder, base)
    assert all(map(torch.equal, convolutions(loaded), convolutions(base)))
