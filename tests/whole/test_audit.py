"""Declared = actual: what each stage opened, held against dvc.yaml."""

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import timm
from PIL import Image

from pipeline.core import dag
from tests.project import ROOT, Project

STAGES = dag.stages(ROOT)
STATISTICS = "pipeline/techniques/statistics"
BANDS = {
    "pipeline/core",
    "pipeline/learning",
    "pipeline/new_class/evaluation",
    "pipeline/new_class/results",
    "pipeline/search",
    "pipeline/sources",
    STATISTICS,
}
"""The folders of code that stages depend on as a whole."""
OWN = {"${data.path}", "${network.path}"}
"""The user's own images and networks, which are read only where other parameters say so."""
OTHERWISE = {
    "lora": {
        STATISTICS,
        *(f"data/split/{part}" for part in ("new_train", "new_validation", "old_validation")),
    },
    "sequential": {STATISTICS},
    "statistics": {"data/features/old_validation"},
}
"""What a stage opens with other parameters alone: tests below run it with such."""


def source(path: Path) -> Path:
    """The source of a compiled module, or the path itself."""
    if path.parent.name == "__pycache__":
        return path.parent.parent / f"{path.name.split('.')[0]}.py"
    return path


def opened(name: str, project: Project) -> tuple[set[str], set[str]]:
    """The files of the project that a stage read and wrote in an audited run."""
    read: set[str] = set()
    written: set[str] = set()
    for line in project.opened(name):
        path, writes = json.loads(line)
        if Path(path).is_relative_to(project.folder):
            file = source(Path(path).relative_to(project.folder))
            (written if writes else read).add(file.as_posix())
    return read, written


@pytest.mark.parametrize("name", sorted(STAGES))
def test_stage_opened_what_it_declares(name: str, finished: Project) -> None:
    read, written = opened(name, finished)
    stage = STAGES[name]
    declared = [each for each in stage["deps"] if each not in {*OWN, *OTHERWISE.get(name, ())}]
    outputs = dag.outputs(stage)
    # A method looks its own entry up in dvc.yaml; DVC reruns a stage whose entry changed.
    own_entry = {"dvc.yaml"} if outputs[0].startswith(("data/methods/", "data/base")) else set()
    expected = {*declared, "params.yaml", *own_entry}
    for file in read - set(outputs):
        assert any(Path(file).is_relative_to(each) for each in expected), f"{file} is not declared"
    for each in declared:
        assert any(Path(file).is_relative_to(each) for file in read), f"{each} is never read"
        code = each.startswith("pipeline/") and not each.endswith(".py")
        assert not code or each in BANDS, f"{each} is no shared band"
    # A file is written beside its place, under a hidden name, and then moved there.
    final = {
        Path(file).parent / Path(file).name.removeprefix(".").rpartition(".")[0] for file in written
    }
    for path in final:
        assert any(path.is_relative_to(each) for each in outputs), f"{path} is not declared"
    for each in outputs:
        assert any(path.is_relative_to(each) for path in final), f"{each} is never written"


def test_own_images_are_read_where_they_are_the_source(project: Project) -> None:
    for name in ("one", "zwei ä"):
        folder = project.folder / "my photographs" / name
        folder.mkdir(parents=True)
        for number in range(10):
            pixels = np.full((8, 8, 3), 20 * number + len(name), np.uint8)
            Image.fromarray(pixels).save(folder / f"{number}.png")
    project.set({"data.source": "folder", "data.path": "my photographs"})
    shutil.rmtree(project.folder / "data/images")
    project.run(
        sys.executable, "-m", "pipeline.core.run", "download",
        audited=True, environment={"DVC_STAGE": "download"},
    )  # fmt: skip
    assert "${data.path}" in STAGES["download"]["deps"]
    read = {json.loads(line)[0] for line in project.opened("download")}
    own = {str(path) for path in (project.folder / "my photographs").rglob("*.png")}
    assert own <= read


def test_own_network_is_read_where_it_is_named(project: Project) -> None:
    folder = project.folder / "my networks/pets"
    timm.models.save_for_hf(
        timm.create_model("test_resnet", num_classes=2),
        str(folder),
        model_config={"label_names": ["one", "two"]},
        safe_serialization=True,
    )
    own = {"path": "my networks", "trunk": "local-dir:pets", "weights": "pretrained"}
    project.set({f"network.{key}": value for key, value in own.items()})
    shutil.rmtree(project.folder / "data/weights")
    project.run(
        sys.executable, "-m", "pipeline.core.run", "weights",
        audited=True, environment={"DVC_STAGE": "weights"},
    )  # fmt: skip
    assert "${network.path}" in STAGES["weights"]["deps"]
    read = {json.loads(line)[0] for line in project.opened("weights")}
    assert str(folder / "config.json") in read
    outside = {
        path
        for path in read
        if Path(path).is_relative_to(project.folder)
        and not Path(path).is_relative_to(folder.parent)
        and not Path(path).is_relative_to(project.folder / "pipeline")
        and not Path(path).is_relative_to(project.folder / "data/weights")
    }
    assert outside <= {str(project.folder / "params.yaml")}
    assert (project.folder / "data/weights/model.safetensors").exists()


def test_images_are_read_instead_of_features_where_lora_adapts_the_trunk(project: Project) -> None:
    project.set({"lora.targets": ["trunk.1"], "lora.trials": 1})
    project.run(
        sys.executable, "-m", "pipeline.core.run", "lora",
        audited=True, environment={"DVC_STAGE": "lora"},
    )  # fmt: skip
    read, _ = opened("lora", project)
    inputs = [
        each for each in STAGES["lora"]["deps"] if each.startswith(("data/split", "data/features"))
    ]
    found = {each for each in inputs if any(Path(file).is_relative_to(each) for file in read)}
    # In the features it sees whether there are several steps.
    assert found == {*OTHERWISE["lora"], "data/features/new_train"} - {STATISTICS}


def test_steps_open_what_is_declared_and_are_shown(project: Project) -> None:
    methods = ["analytic", "lora", "new_row", "sequential"]
    project.set({"split.new_classes": [[0], [7, 1]], "methods": methods})
    shutil.rmtree(project.folder / "data/methods")
    for name in ("split", "pretrain", "features", "statistics", *methods, "evaluate", "plot"):
        project.run(
            sys.executable, "-m", "pipeline.core.run", name,
            audited=name in methods, environment={"DVC_STAGE": name},
        )  # fmt: skip
    for name in methods:
        read, _ = opened(name, project)
        outputs = dag.outputs(STAGES[name])
        expected = {*STAGES[name]["deps"], *outputs, "params.yaml", "dvc.yaml"}
        for file in read:  # a folder that is removed is opened by its name alone
            inside = any(Path(file).is_relative_to(each) for each in expected)
            assert inside or not (project.folder / file).is_file(), file
        assert f"{STATISTICS}/gaussians.py" in read
    project.pipeline("export", "new_row", "taken")  # which holds what it wrote against the model
    rows = {file.name for file in (project.folder / "taken").glob("row_*.safetensors")}
    assert rows == {f"row_{label}.safetensors" for label in (0, 1, 7)}
    metrics = project.json("metrics/new_class.json")
    for name in methods:
        assert metrics[name]["original_data"] == "none"
    table = pd.read_csv(project.folder / "plots/new_class/tables/steps.csv")
    last = table[table["step"] == 2].set_index(["method", "classes"])["accuracy"]
    assert last["analytic", "all seen"] == pytest.approx(metrics["analytic"]["accuracy"])
    assert last["analytic", "7 1"] > 0.8
    for name in methods:
        lists = last[name].drop("all seen")
        assert metrics[name]["average_accuracy"] == pytest.approx(lists.mean(), abs=1e-6)
    assert (project.folder / "plots/new_class/pictures/steps.png").exists()
