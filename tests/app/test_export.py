"""`python -m pipeline export`: whole, equal to PyTorch, and told of without blanks."""

import json
import re
import shutil
import signal
import subprocess
import sys
import time
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import safetensors.numpy
import timm
import torch
from PIL import Image

from pipeline.app import graph, layout, model_card
from pipeline.app.models import Predictor
from pipeline.core import artifacts
from pipeline.core.errors import InputError
from pipeline.core.labelled import Labelled
from pipeline.learning import backbones, models, rows
from pipeline.learning.rows import Row
from pipeline.new_class import results
from pipeline.new_class.evaluation.card import Card
from pipeline.techniques.statistics.gaussians import Gaussians
from pipeline.techniques.statistics.ridge import Sums
from tests.app.conftest import Command
from tests.project import Project, hear_ctrl_c

ALONE = """
import json, sys
import numpy as np, onnxruntime
folder, images, strength = sys.argv[1:]
session = onnxruntime.InferenceSession(f"{folder}/model.onnx")
given = {"images": np.load(images)}
if strength:
    given["strength"] = np.array(float(strength), np.float32)
told = session.get_modelmeta().custom_metadata_map
assert not {"torch", "pipeline"} & set(sys.modules)
print(json.dumps([json.loads(told["classes"]), session.run(None, given)[0].tolist()]))
"""


@pytest.fixture(scope="session")
def exported(finished_run: Project, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that LoRA has been exported to."""
    folder = tmp_path_factory.mktemp("exported") / "a folder" / "lora"
    finished_run.pipeline("export", "lora", str(folder))
    return folder


@pytest.fixture
def own(run: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the run, to be changed, as the current directory."""
    for name in ("data", "metrics"):
        shutil.copytree(run.folder / name, tmp_path / "own" / name)
    monkeypatch.chdir(tmp_path / "own")
    return tmp_path / "own"


def alone(folder: Path, images: Path, strength: str) -> tuple[list[str], npt.NDArray[np.float64]]:
    """The names of the classes and the logits, by onnxruntime without PyTorch and Retain."""
    done = subprocess.run(
        (sys.executable, "-c", ALONE, folder, images, strength),
        capture_output=True, check=True, cwd=folder,
    )  # fmt: skip
    classes, logits = json.loads(done.stdout)
    return classes, np.array(logits)


@pytest.mark.parametrize("strength", ["0", "0.6", "1", "2"])
def test_onnxruntime_alone_answers_as_pytorch_does(
    run: Project, exported: Path, tmp_path: Path, strength: str
) -> None:
    validation = results.validation("split")
    np.save(tmp_path / "images.npy", validation.inputs[:77])
    classes, logits = alone(exported, tmp_path / "images.npy", strength)
    predictor = Predictor.load("lora")
    expected = predictor.at_strength(float(strength)).logits(validation.inputs[:77]).numpy()
    assert np.abs(logits - expected).max() < 1e-5 * np.abs(expected).max()
    assert classes == predictor.classes


def test_methods_without_a_strength_have_no_such_input(run: Project, tmp_path: Path) -> None:
    predictor, validation = Predictor.load("replay"), results.validation("split")
    content = graph.of(predictor)
    graph.check(content, predictor, validation)
    (tmp_path / "model.onnx").write_bytes(content)
    np.save(tmp_path / "images.npy", validation.inputs[:3])
    _, logits = alone(tmp_path, tmp_path / "images.npy", "")
    assert logits.shape == (3, 10)
    with pytest.raises(InputError, match=r"not the model: of 300 validation images it answers \d"):
        graph.check(content, Predictor.load("base"), validation)
    assert str(Path(graph.__file__).parent).encode() not in content


@pytest.mark.parametrize(("network", "shape"), [("residual", (3, 16, 16)), ("identity", (12,))])
def test_other_networks_have_graphs_too(run: Project, network: str, shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    base = models.NETWORKS[network](shape, 10, 0.1).eval()
    tuned = deepcopy(base)
    with torch.no_grad():
        for weight in tuned.head.parameters():
            weight.add_(torch.randn_like(weight), alpha=0.1)
    card = Predictor.load("lora").card.model_copy(update={"shape": list(shape)})
    predictor = Predictor("lora", card, tuned, 1.0, (base, tuned))
    inputs = np.random.default_rng(0).integers(0, 256, (50, *shape))
    kind = np.uint8 if len(shape) == 3 else np.float32
    validation = Labelled(inputs.astype(kind), np.zeros(50, np.int64), card.classes, [])
    graph.check(graph.of(predictor), predictor, validation)


def test_folder_has_the_model_and_what_later_classes_need(run: Project, exported: Path) -> None:
    predictor, loaded = Predictor.load("lora"), layout.load(exported)
    validation = results.validation("split")
    assert torch.equal(loaded.logits(validation.inputs), predictor.logits(validation.inputs))
    assert loaded.answers(validation.inputs) == predictor.answers(validation.inputs)
    assert (loaded.method, loaded.strength) == ("lora", predictor.strength)
    config = json.loads((exported / "config.json").read_text())
    assert config["num_classes"] == 10
    assert config["num_features"] == loaded.features(validation.inputs[:1]).shape[1]
    assert config["label_names"] == predictor.classes
    gaussians = Gaussians.load(exported / "statistics/gaussians.safetensors")
    assert gaussians.means.shape == (9, config["num_features"])
    sums, _ = Sums.load(exported / "statistics/sums.safetensors")
    assert sums.moments.shape[1] == 10


@pytest.mark.parametrize("method", ["new_row", "slda"])
def test_heads_of_every_kind_are_exported(
    run: Project, command: Command, pictures: Path, tmp_path: Path, method: str
) -> None:
    folder = tmp_path / method
    assert command("export", method, folder)[0] == 0
    assert (folder / "row_0.safetensors").exists() == (method == "new_row")
    predictor, validation = Predictor.load(method), results.validation("split")
    expected = predictor.logits(validation.inputs)
    assert torch.equal(layout.load(folder).logits(validation.inputs), expected)
    np.save(tmp_path / "images.npy", validation.inputs)
    _, logits = alone(folder, tmp_path / "images.npy", "")
    assert np.abs(logits - expected.numpy()).max() < 1e-5 * expected.abs().max()
    words = ("gate", "--from", folder, "--to", method, "--images", pictures, "--flips", "0")
    assert command(*words)[0] == 0
    card = (folder / "README.md").read_text()
    assert not re.search(r"None|nan|\|[ ]*\|", no_code(card))
    written = {str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()}
    assert written - {"README.md"} == set(re.findall(r"^\| ([\w/.]+\.\w+) ", card, re.M))


def of_timm(name: str, shape: list[int], head: str, card: Card) -> Predictor:
    """A model whose trunk is timm's: trained elsewhere, with another head behind it."""
    torch.manual_seed(0)
    made: Any = timm.create_model(name, num_classes=10).eval()
    for values in made.buffers():  # as a training leaves them
        if values.is_floating_point():
            torch.nn.init.uniform_(values, 0.5, 1.5)
    description = backbones.described(made) | {"shape": shape, "classes": 10, "dropout": 0.0}
    model = models.build(description | {"hidden": [7] if head == "hidden" else []})
    trunk, last = backbones.divided(made, description)
    model.trunk.get_submodule("2").load_state_dict(trunk.state_dict())
    if head != "hidden":
        torch.nn.init.normal_(last.weight)
        model.head.get_submodule("output").load_state_dict(last.state_dict())
    if head == "row":
        model = rows.with_rows(model, {3: Row(torch.randn(last.in_features), 0.5)})
    told = card.model_copy(update={"shape": shape})
    return Predictor("replay", told, model.eval())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "shape", "head"),
    [
        ("test_resnet", [3, 64, 64], "linear"),
        ("test_resnet", [1, 32, 32], "row"),
        ("test_vit", [1, 40, 40], "linear"),
        ("test_vit", [3, 160, 160], "row"),
    ],
)
def test_timm_loads_a_network_of_its_own(
    run: Project, tmp_path: Path, name: str, shape: list[int], head: str
) -> None:
    predictor = of_timm(name, shape, head, Predictor.load().card)
    layout.save(tmp_path, predictor)
    loaded: Any = timm.create_model(f"local-dir:{tmp_path}", pretrained=True).eval()
    weights = safetensors.numpy.load_file(tmp_path / "model.safetensors")
    assert set(weights) == set(timm.create_model(name, num_classes=10).state_dict())
    assert loaded.pretrained_cfg["label_names"] == predictor.classes

    images = np.random.default_rng(0).integers(0, 256, (6, *shape), np.uint8)
    expected = predictor.logits(images)
    data: Any = timm.data
    config = data.resolve_model_data_config(loaded)
    transform = data.create_transform(**config, is_training=False)
    flat = [each[0] if len(each) == 1 else each.transpose(1, 2, 0) for each in images]
    inputs = torch.stack([transform(Image.fromarray(each).convert("RGB")) for each in flat])
    largest = expected.abs().max()
    resized = config["input_size"][1:] != tuple(shape[1:])
    with torch.no_grad():
        found = loaded(inputs)
    assert (found - expected).abs().max() < (0.05 if resized else 1e-5) * largest
    assert (layout.load(tmp_path).logits(images) - expected).abs().max() <= 1e-6 * largest
    validation = Labelled(images, np.zeros(6, np.int64), predictor.classes, [])
    graph.check(graph.of(predictor), predictor, validation)


def test_a_head_that_timm_has_no_place_for_is_saved_as_ours(run: Project, tmp_path: Path) -> None:
    predictor = of_timm("test_resnet", [3, 64, 64], "hidden", Predictor.load().card)
    layout.save(tmp_path, predictor)
    images = np.random.default_rng(0).integers(0, 256, (6, 3, 64, 64), np.uint8)
    assert torch.equal(layout.load(tmp_path).logits(images), predictor.logits(images))
    assert json.loads((tmp_path / "config.json").read_text())["architecture"] == "retain_timm"


def test_model_card_has_figures_hashes_and_licences_and_no_blanks(
    run: Project, exported: Path
) -> None:
    card = (exported / "README.md").read_text()
    told = Predictor.load("lora").card
    metrics = run.json("metrics/new_class.json")["lora"]
    assert told.test_sha256 in card
    assert told.models["lora"].weights in card
    assert "CC BY 4.0" in card
    for name in ("accuracy", "accuracy_old", "accuracy_new"):
        row = re.search(rf"^\| {name.replace('_', ' ')}, % .*$", card, re.M)
        assert row
        assert f"{100 * metrics[name]:.2f}" in row[0]
    low, high = (f"{100 * bound:.2f}" for bound in metrics["accuracy_ci95"])
    assert f"{low} to {high}" in card
    assert not re.search(r"None|nan|\bTODO|More information|\{|\}|\|[ ]*\|", no_code(card))
    for file in re.findall(r"^\| ([\w/.]+\.\w+) ", card, re.M):
        assert (exported / file).is_file(), file


def no_code(text: str) -> str:
    return re.sub(r"```.*?```", "", text, flags=re.S)


def test_example_of_the_model_card_runs(exported: Path) -> None:
    card = (exported / "README.md").read_text()
    example = re.search(r"```python\n(.*?)```", card, re.S)
    assert example
    subprocess.run((sys.executable, "-c", example[1]), cwd=exported, check=True)


def test_several_seeds_are_told_of_if_this_run_is_one_of_them(own: Path) -> None:
    metrics = artifacts.load_json("metrics/new_class.json")
    figures = {
        key: {"mean": 0.5, "ci95": 0.25, "n": 7}
        for key, value in metrics["lora"].items()
        if isinstance(value, float)
    }
    cell = {"case": "default", "metrics": {"new_class": metrics}}
    study = {"cells": {"a": cell}, "summary": {"default": {"new_class": {"lora": figures}}}}
    artifacts.save_json("metrics/studies/replicates.json", study)
    predictor = Predictor.load("lora")
    card = model_card.text(predictor, [], False)
    assert "7 seeds" in card
    assert "50.00 ± 25.00" in card
    metrics["lora"]["loss"] += 1
    artifacts.save_json("metrics/studies/replicates.json", study)
    assert "seeds" not in model_card.text(predictor, [], False)


def test_nothing_is_overwritten_and_an_empty_folder_is_filled(
    own: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(own)
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    target = own / "out"
    target.mkdir()
    code, printed, told = command("export", "replay", target)
    assert code == 0
    assert told.startswith("export: model.onnx is left out, as onnxruntime is not installed")
    assert not (target / "model.onnx").exists()
    assert "onnx" not in (target / "README.md").read_text()
    before = {file: file.read_bytes() for file in target.rglob("*") if file.is_file()}
    assert {line.split("  ")[0] for line in printed.splitlines()} == set(map(str, before))
    for place, problem in ((target, "is not empty"), (target / "README.md", "is no folder")):
        code, _, message = command("export", "replay", place)
        assert code == 2
        assert message.startswith(f"export: {place}: {problem}")
        assert len(message.splitlines()) == 1
    assert before == {file: file.read_bytes() for file in target.rglob("*") if file.is_file()}


@pytest.mark.parametrize(
    ("lacking", "method", "message"),
    [
        ("", "lroa", "tells of no method lroa; did you mean lora?"),
        ("data/new_class/card.json", "lora", "data/new_class/card.json: not found"),
        ("data/base", "lora", "data/methods/lora|data/base"),
        ("data/split", "replay", "data/split/old_validation/about.json: not found"),
        ("data/statistics", "replay", "data/statistics: nothing there"),
        ("metrics/new_class.json", "replay", "metrics/new_class.json: not found"),
    ],
)
def test_what_is_missing_is_named_and_nothing_is_left(
    own: Path,
    command: Command,
    monkeypatch: pytest.MonkeyPatch,
    lacking: str,
    method: str,
    message: str,
) -> None:
    monkeypatch.chdir(own)
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    if lacking:
        path = own / lacking
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    code, _, told = command("export", method, own / "new/out")
    assert code == 2
    assert re.search(message, told.splitlines()[-1])
    assert {path.name for path in own.iterdir()} == {"data", "metrics"}


@pytest.mark.slow
def test_an_interrupt_leaves_nothing(run: Project, tmp_path: Path) -> None:
    words = (sys.executable, "-m", "pipeline", "export", "lora", tmp_path / "out")
    with subprocess.Popen(
        words, stderr=subprocess.PIPE, text=True, preexec_fn=hear_ctrl_c
    ) as process:
        try:
            while not list(tmp_path.glob(".out.*/out/config.json")):
                assert process.poll() is None
                time.sleep(0.01)
            process.send_signal(signal.SIGINT)
            assert process.wait(60) == 130
            assert process.stderr
            assert process.stderr.read() == "export: interrupted\n"
        finally:
            process.kill()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "the following arguments are required: METHOD, FOLDER"),
        (("lora",), "the following arguments are required: FOLDER"),
        (("lora", "a", "b"), "unrecognized arguments: b"),
    ],
)
def test_bad_words_are_refused_in_a_line(
    command: Command, words: tuple[str, ...], message: str
) -> None:
    code, _, problem = command("export", *words)
    assert code == 2
    [line] = problem.splitlines()
    assert line.startswith(f"export: {message}")


def test_folder_that_is_no_export_is_refused(run: Project, exported: Path, tmp_path: Path) -> None:
    contents: list[Any] = [{}, [], {"retain": {"method": "x"}}]
    for content in contents:
        artifacts.save_json(tmp_path / "config.json", content)
        with pytest.raises(InputError, match=r"config\.json: no model that `export` wrote"):
            layout.load(tmp_path)
    config = json.loads((exported / "config.json").read_text())
    config["retain"]["card"]["classes"] = 10
    artifacts.save_json(tmp_path / "config.json", config)
    with pytest.raises(InputError, match=r"config\.json: no card of this version: classes"):
        layout.load(tmp_path)
