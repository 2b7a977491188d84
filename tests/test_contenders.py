"""The transfer and its controls."""

import pytest
import torch

from pipeline import artifacts, contenders, drawing, models, training
from pipeline.training import Recipe
from pipeline.validation import Validation
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


def convolutions(model: models.Classifier) -> list[torch.Tensor]:
    return [weight.detach().clone() for weight in model.trunk.parameters()]


@pytest.fixture
def base() -> models.Classifier:
    torch.manual_seed(5)
    return models.shape_cnn((3, 64, 64), 3, 0.1)


@pytest.mark.parametrize("name", contenders.NAMES)
def test_contender_starts_and_changes_as_it_is_said_to(name: str, base: models.Classifier) -> None:
    torch.manual_seed(6)
    model = contenders.untrained(name, base, 2)
    pretrained = name in ("transfer", "fine_tuned")
    before = convolutions(model)
    assert all(map(torch.equal, before, convolutions(base))) == pretrained
    hidden = [each.head.get_submodule("dense_1").state_dict() for each in (model, base)]
    assert torch.equal(hidden[0]["weight"], hidden[1]["weight"]) == pretrained
    assert model.head.get_submodule("output").state_dict()["weight"].shape == (2, 128)

    images, labels = (torch.from_numpy(a) for a in drawing.images(["star", "pentagon"], 16, 64, 0))
    watched = Validation(images, labels, torch.zeros_like(labels, dtype=torch.bool), "overall")
    curve = contenders.train(model, images, labels, RECIPE, watched)
    assert curve[-1]["step"] == (16 if name in ("transfer", "random") else 2)
    frozen = all(map(torch.equal, before, convolutions(model)))
    assert frozen == (name in ("transfer", "random"))


def test_features_are_those_of_every_view_of_each_part(
    base: models.Classifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "FEW", 2)
    parts = [
        torch.from_numpy(drawing.images(names, 3, 64, 0)[0]) for names in (["star"], ["cross"])
    ]
    features = contenders.features(base.trunk, parts, count=6)
    expected = [
        training.predict(base.trunk, training.turned(part, view))
        for part in parts
        for view in range(8)
    ]
    torch.testing.assert_close(features, torch.cat(expected).half())


@pytest.mark.parametrize(
    "file", ["transfer/transfer", "transfer_both/exposed", "label_efficiency/transfer_5"]
)
def test_transferred_convolutions_are_still_those_of_the_base(file: str, finished: Project) -> None:
    data = finished.folder / "data"
    base, _ = artifacts.load_tensors(data / "shapes_base/model.safetensors", models.KIND)
    transferred, _ = artifacts.load_tensors(data / f"{file}.safetensors", models.KIND)
    convolutions = [name for name in base if name.startswith("trunk.")]
    assert len(convolutions) == 6
    for name in convolutions:
        assert transferred[name].tobytes() == base[name].tobytes(), name
