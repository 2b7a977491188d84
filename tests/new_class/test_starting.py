"""From a network of one's own to a base model: the stages `weights`, `split` and `pretrain`."""

import hashlib
import json
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch
from safetensors.torch import save_file

from pipeline.core import artifacts, params
from pipeline.core.errors import InputError
from pipeline.core.labelled import Labelled
from pipeline.learning import models, networks, training
from pipeline.new_class import outside, report, results
from pipeline.new_class.starting import Network, Start
from pipeline.techniques.statistics.gaussians import Gaussians
from pipeline.techniques.statistics.ridge import Projection, Sums
from tests.project import Project

NAMES = ["cat", "dog", "hen"]
CLASSES = ["cat", "dog", "ant", "hen"]
"""Those of the images, of which `ant` is new; the classifier has others in another order."""


def trained(name: str = "test_resnet", **arguments: Any) -> Any:
    torch.manual_seed(2)
    model = timm.create_model(name, **arguments).eval()
    for values in model.buffers():  # as a training leaves them
        if values.is_floating_point():
            torch.nn.init.uniform_(values, 0.5, 1.5)
    return model


@pytest.fixture
def project(sources: Path) -> Project:
    """Sources, some images of 32×32 pixels, and in `data/own/pets` a classifier as timm has it."""
    generator = np.random.default_rng(0)
    for part, count in (("train", 10), ("test", 6)):
        labels = np.repeat(np.arange(4), count)
        images = generator.integers(256, size=(len(labels), 3, 32, 32), dtype=np.uint8)
        advice = {
            "trunk": "residual",
            "augmentation": {"rotation": 0.0, "scale": 0.0, "translation": 0.0},
        }
        Labelled(images, labels, CLASSES, [], advice).save(f"data/images/{part}")
    model = trained(num_classes=3)
    timm.models.save_for_hf(
        model, "data/own/pets", model_config={"label_names": NAMES}, safe_serialization=True
    )
    project = Project(sources)
    project.set({
        "split.new_classes": ["ant"],
        "split.validation": 0.2,
        "network.trunk": "local-dir:pets",
        "network.weights": "pretrained",
        "pretrain.epochs": 0,
        "pretrain.least_steps": 0,
    })  # fmt: skip
    return project


def run(*names: str) -> None:
    for name in names:
        folder = "sources" if name == "download" else "new_class"
        main = import_module(f"pipeline.{folder}.stages.{name}").main
        main(**params.arguments(main))


def network(**changes: Any) -> Network:
    given = {"trunk": "test_resnet", "weights": "none", "path": "data/own"}
    return Network.model_validate(given | {"head": "auto", "train": "all"} | changes)


def test_classifier_from_outside_is_taken_as_it_is(project: Project) -> None:
    run("weights", "split", "pretrain")
    about = project.json("data/weights/about.json")
    assert about["classes"] == NAMES
    assert about["licence"] == "apache-2.0"
    preprocessing = about["network"]["preprocessing"]
    assert preprocessing["size"] == [160, 160]
    assert preprocessing["interpolation"] == "bilinear"
    content = Path("data/weights/model.safetensors").read_bytes()
    assert about["sha256"] == hashlib.sha256(content).hexdigest()

    test = Labelled.load("data/images/test").named([*NAMES, "ant"])
    base = results.load_base()
    inputs = torch.from_numpy(np.array(test.inputs))
    logits = training.predict(base, inputs)
    with torch.no_grad():
        original = trained(num_classes=3)((inputs.float() / 255 - 0.5) / 0.5)
    assert torch.equal(logits[:, :3], original)
    assert torch.equal(logits.argmax(1), original.argmax(1))  # never the class that is new to it
    train = Labelled.load("data/split/old_train")
    assert train.classes == [*NAMES, "ant"]
    assert train.new == [3]
    assert {train.classes[label] for label in train.labels} == set(NAMES)


def test_equal_runs_give_equal_weights(project: Project) -> None:
    run("weights")
    before = [path.read_bytes() for path in sorted(Path("data/weights").iterdir())]
    run("weights")
    assert [path.read_bytes() for path in sorted(Path("data/weights").iterdir())] == before


def test_after_the_stage_nothing_of_the_outside_is_needed(project: Project) -> None:
    run("weights", "split")
    project.run("rm", "-r", "data/own/pets")
    run("pretrain")
    assert results.load_base().description["known"] == 3


def test_new_head_with_hidden_layers_on_a_trained_trunk(project: Project) -> None:
    project.set({"network.head": [7], "pretrain.epochs": 1})
    run("weights", "split", "pretrain")
    base = results.load_base()
    assert [tuple(weight.shape) for weight in base.head.parameters()][0::2] == [(7, 96), (4, 7)]
    assert base.description["classes"] == 4
    assert Labelled.load("data/split/old_train").classes == CLASSES


def test_classifier_that_lacks_an_old_class_gives_its_trunk(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    project.set({"split.new_classes": ["cat"]})
    run("weights", "split")
    with pytest.raises(InputError, match="bring no classifier of the old classes"):
        run("pretrain")
    project.set({"pretrain.epochs": 1})
    run("pretrain")
    assert "a new head, as that of the weights lacks ant" in capsys.readouterr().err


def test_trunk_of_a_model_saved_here(project: Project) -> None:
    torch.manual_seed(3)
    other = networks.residual((3, 32, 32), 10, 0.0)
    models.save("data/own/other.safetensors", other)
    named = {"network.trunk": "residual", "network.weights": "other.safetensors"}
    project.set(named)
    run("weights", "split")
    started = Start.load().model(
        network(**{key.split(".")[1]: v for key, v in named.items()}),
        Labelled.load("data/split/old_train"),
        0.0,
        "he",
    )
    assert models.trunk_name(started.trunk) == models.trunk_name(other.trunk)
    assert started.description["classes"] == 4
    with pytest.raises(InputError, match="bring no classifier"):
        run("pretrain")


def test_model_saved_here_keeps_its_head_where_its_classes_are_named(project: Project) -> None:
    torch.manual_seed(3)
    models.save("data/own/x.safetensors", networks.cnn((3, 32, 32), 3, 0.0))
    Path("data/own/classes.txt").write_text("\n".join(NAMES))
    project.set({"network.trunk": "auto", "network.weights": "x.safetensors"})
    run("weights", "split", "pretrain")
    images = torch.from_numpy(np.array(Labelled.load("data/images/test").inputs))
    expected = training.predict(models.load("data/own/x.safetensors"), images)
    assert torch.equal(training.predict(results.load_base(), images)[:, :3], expected)


def state_file(path: str, classes: int) -> dict[str, torch.Tensor]:
    weights = trained(num_classes=classes).state_dict()
    if path.endswith(".pth"):
        torch.save({"state_dict": weights}, path)
    else:
        save_file(weights, path)
    return dict(weights)


@pytest.mark.parametrize("name", ["nine.safetensors", "nine.pth"])
@pytest.mark.usefixtures("sources")
def test_head_of_a_file_is_kept_where_timm_drops_it(name: str) -> None:
    path = f"data/own/{name}"
    weights = state_file(path, 9)
    if name.endswith(".safetensors"):
        overlay = {"file": path}
        dropped = timm.create_model(
            "test_resnet", pretrained=True, pretrained_cfg_overlay=overlay, num_classes=9
        )
        assert not torch.equal(dropped.state_dict()["fc.weight"], weights["fc.weight"])
    Path("data/own/classes.txt").write_text("".join(f"class {i}\n" for i in range(9)))
    start = outside.start(network(weights=name))
    assert torch.equal(start.weights["head.output.weight"], weights["fc.weight"])
    assert start.classes == [f"class {i}" for i in range(9)]


def test_file_may_be_the_path_itself(sources: Path) -> None:
    state_file("data/own/nine.safetensors", 9)
    start = outside.start(network(path="data/own/nine.safetensors", weights="nine.safetensors"))
    assert start.classes is None
    assert not any(name.startswith("head.") for name in start.weights)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"trunk": "local-dir:none"}, r"data/own/none has no config\.json"),
        (
            {"trunk": "local-dir:../.."},
            r"network\.trunk is \.\./\.\., which is not in network\.path",
        ),
        ({"weights": "none.pth"}, r"weights is none\.pth, but there is no such file in network"),
        (
            {"weights": "nine.safetensors", "trunk": "test_vit"},
            "not the weights of test_vit|has no ",
        ),
        ({"weights": "nine.safetensors", "trunk": "resnet18"}, "not the weights of resnet18: "),
        ({"weights": "nine.safetensors"}, "data/own/classes.txt has 2 different names, but the cl"),
        (
            {"weights": "damaged.safetensors"},
            "damaged.*cannot be read as weights.*convert it to sa",
        ),
        ({"weights": "nine.safetensors", "trunk": "cnn"}, "nine.safetensors: "),
        ({"weights": "mine.safetensors", "trunk": "cnn"}, "network residual; network.trunk is cnn"),
        ({"weights": "pretrained", "trunk": "test_resnet"}, "can't be had .*without a network"),
        ({"weights": "pretrained", "trunk": "hf-hub:a/b"}, "can't be had .*without a network"),
        ({"weights": "pretrained", "trunk": "resnet18s"}, "did you mean resnet18"),
        ({"weights": "pretrained", "trunk": "resnet10t_"}, "did you mean"),
    ],
    ids=str,
)
@pytest.mark.usefixtures("sources")
def test_what_cannot_be_brought_is_refused_in_a_line(
    monkeypatch: pytest.MonkeyPatch, changes: dict[str, str], message: str
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    state_file("data/own/nine.safetensors", 9)
    Path("data/own/classes.txt").write_text("a\nb\n")
    Path("data/own/damaged.safetensors").write_bytes(b"\x08" * 99)
    models.save("data/own/mine.safetensors", networks.residual((3, 32, 32), 2, 0.0))
    with pytest.raises(InputError, match=message) as caught:
        outside.start(network(**changes))
    assert "\n" not in str(caught.value)


@pytest.mark.usefixtures("sources")
def test_network_of_timm_without_weights_is_drawn_anew() -> None:
    asked = network(trunk="test_vit", head=[5])
    start = outside.start(asked)
    assert start.weights == {}
    images = Labelled(np.zeros((2, 1, 32, 32), np.uint8), np.array([0, 1]), ["a", "b"], [1])
    torch.manual_seed(0)
    model = start.model(asked, images, 0.0, "he")
    torch.manual_seed(0)
    again = start.model(asked, images, 0.0, "he")
    assert all(map(torch.equal, model.parameters(), again.parameters()))
    assert model(torch.from_numpy(images.inputs)).shape == (2, 2)
    table = Labelled(np.zeros((2, 9), np.float32), np.array([0, 1]), ["a", "b"], [1])
    with pytest.raises(InputError, match="trunk is test_vit, which takes no inputs of 9"):
        start.model(asked, table, 0.0, "he")


def test_weights_that_do_not_fit_the_images_are_refused(project: Project) -> None:
    models.save("data/own/grey.safetensors", networks.residual((1, 32, 32), 2, 0.0))
    project.set({"network.trunk": "auto", "network.weights": "grey.safetensors"})
    run("weights", "split")
    with pytest.raises(InputError, match=r"don't fit: trunk\.1\.weight is \(16, 1, 3, 3\) there"):
        run("pretrain")


def test_description_alone_where_there_are_no_weights(sources: Path) -> None:
    outside.start(network(trunk="auto")).save()
    assert [path.name for path in Path("data/weights").iterdir()] == ["about.json"]
    about = json.loads(Path("data/weights/about.json").read_text())
    assert about["classes"] is about["sha256"] is None


def small(project: Project) -> None:
    """Few trials and epochs."""
    for name in ("sequential", "lora"):
        project.set({f"{name}.trials": 2, f"{name}.strengths": [0.0, 1.0]})
        project.set({f"{name}.search.epochs": {"low": 1, "high": 1}})
    for name in ("gaussian_replay", "gaussian_lora"):
        project.set({f"{name}.epochs": 1, f"{name}.samples": 5})
    project.set({"analytic.widths": [100], "statistics.width": 100, "statistics.rank": 3})


NEEDING = {
    "images": ("replay", "joint"),
    "statistics": ("analytic", "gaussian_replay", "gaussian_lora"),
}
"""Methods by what they need of the old classes."""


def methods(*needing: str) -> list[str]:
    return [name for need in needing for name in NEEDING[need]]


@pytest.fixture
def gone(project: Project) -> Project:
    """The project, with images of the new class alone to learn from."""
    small(project)
    images = Labelled.load("data/images/train")
    images.only([CLASSES.index("ant")]).save("data/images/train")
    return project


def compared(project: Project, *listed: str) -> set[str]:
    """The methods that `evaluate` compares after some have run."""
    project.set({"methods": list(listed)})
    run("weights", "split", "pretrain", "features", "statistics")
    for name in listed:
        main = import_module(f"pipeline.methods.{name}").main
        main(**params.arguments(main))
    run("evaluate")
    return set(json.loads(Path("metrics/new_class.json").read_text()))


def test_old_images_may_be_gone_and_old_classes_be_scored_on_a_test_folder(
    gone: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    found = compared(gone, *methods("images", "statistics"), "sequential")
    assert found == {"base", "sequential"}
    said = capsys.readouterr().err
    for name in methods("images", "statistics"):
        assert f"{name}: left out, as it needs" in said
    figures = gone.json("metrics/new_class.json")
    assert figures["sequential"]["accuracy_old"] is not None
    assert figures["base"]["accuracy_new"] == 0


def test_statistics_that_were_kept_stand_in_for_old_images(gone: Project) -> None:
    Gaussians.of(torch.randn(60, 96), torch.arange(60) % 3, 3).save(
        "data/own/gaussians.safetensors"
    )
    projection = Projection(5, 100)
    sums = Sums.of(projection, torch.randn(60, 96), torch.arange(60) % 3, 3)
    sums.save("data/own/sums.safetensors", projection.seed)
    listed = methods("statistics")
    assert compared(gone, *listed) == {"base", *listed}


def test_without_test_images_of_old_classes_their_figures_are_unknown(gone: Project) -> None:
    test = Labelled.load("data/images/test")
    test.only([CLASSES.index("ant")]).save("data/images/test")
    compared(gone, "lora")
    run("plot")
    figures = gone.json("metrics/new_class.json")
    for name in ("base", "lora"):
        for key in ("accuracy_old", "forgetting", "negative_flips", "auroc_new"):
            assert figures[name][key] is None
        assert figures[name]["accuracy_new"] is not None
    table = report.methods(figures, figures)
    assert [row[3] for row in table[1:]] == ["–"] * 2


def test_base_alone_is_scored_where_no_method_is_listed(project: Project) -> None:
    project.set({"network.head": [7], "pretrain.epochs": 3})
    assert compared(project) == {"base"}
    run("plot")
    assert not Path("plots/new_class/pictures/methods.png").exists()
    curve = artifacts.load_records("plots/new_class/curves/base.csv")
    epoch = project.json("metrics/new_class.json")["base"]["epochs_to_95"]
    best = max(row["accuracy"] for row in curve)
    assert curve[epoch - 1]["accuracy"] >= 0.95 * best
    assert all(row["accuracy"] < 0.95 * best for row in curve[: epoch - 1])


def test_without_new_classes_there_is_a_base_of_all_and_nothing_more(project: Project) -> None:
    project.set({"split.new_classes": [], "pretrain.epochs": 1, "pretrain.dropout": 0.0})
    run("weights", "split", "pretrain")
    assert results.load_base().description["classes"] == len(CLASSES)
    for stage in ("stages.features", "stages.evaluate", "finetune_all"):
        folder = "new_class" if "." in stage else "methods"
        main = import_module(f"pipeline.{folder}.{stage}").main
        with pytest.raises(InputError, match=r"new_classes is \[\]: nothing is left to learn"):
            main(**params.arguments(main))


def test_kept_statistics_of_other_features_are_refused(gone: Project) -> None:
    Gaussians.of(torch.randn(60, 5), torch.arange(60) % 3, 3).save("data/own/gaussians.safetensors")
    run("weights", "split", "pretrain", "features")
    with pytest.raises(
        InputError, match=r"gaussians\.safetensors has 5 features, the trunk has 96"
    ):
        run("statistics")
