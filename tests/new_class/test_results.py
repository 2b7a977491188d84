"""What a method leaves behind, and what dvc.yaml says of it."""

import json
from pathlib import Path

import pytest
import torch

from pipeline.core import artifacts
from pipeline.core.errors import InputError
from pipeline.learning import models, networks
from pipeline.new_class import results
from tests.project import ROOT

DAG = (ROOT / "dvc.yaml").read_text()


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("data/base", "training"),
        ("data/methods/joint", "training"),
        ("data/methods/replay", "training"),
        ("data/methods/analytic", "none"),
        ("data/methods/gaussian_replay", "none"),
        ("data/methods/gaussian_lora", "none"),
        ("data/methods/sequential", "none"),
        ("data/methods/lora", "validation"),
        ("data/methods/new_row", "none"),
        ("data/methods/prototypes", "none"),
        ("data/methods/slda", "none"),
        ("data/methods/finetune_all", "none"),
    ],
)
def test_old_images_are_those_that_the_stage_itself_depends_on(output: str, expected: str) -> None:
    assert results.old_images(output, ROOT) == expected


@pytest.mark.parametrize(
    ("dependencies", "expected"),
    [
        ("[data/split/new_train, data/base]", "none"),
        ("[data/split/new_train, data/features/old_validation/labels.npy]", "validation"),
        ("[data/split]", "training"),
        ("[data/features/old_train/inputs.npy]", "training"),
        ("[{data/split/old_train: {persist: true}}]", "training"),
    ],
)
def test_parts_and_folders_of_old_images_count(
    tmp_path: Path, dependencies: str, expected: str
) -> None:
    own = f"stages:\n  own: {{cmd: x, deps: {dependencies}, outs: [data/own: {{cache: true}}]}}\n"
    (tmp_path / "dvc.yaml").write_text(DAG.replace("stages:\n", own, 1))
    assert results.old_images("data/own", tmp_path) == expected


def test_method_that_no_stage_makes_is_refused() -> None:
    with pytest.raises(InputError, match=r"dvc\.yaml: no stage has data/methods/c among its outs"):
        results.old_images("data/methods/c", ROOT)


@pytest.mark.parametrize("name", [name for names in results.USES.values() for name in names])
def test_old_images_under_another_name_are_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "dvc.yaml").write_text(DAG.replace(name, f"{name}_images"))
    with pytest.raises(InputError, match=f"no stage has {name} among its outs"):
        results.old_images("data/methods/lora", tmp_path)


@pytest.mark.usefixtures("sources")
def test_facts_of_a_method() -> None:
    torch.manual_seed(0)
    base = networks.cnn((1, 28, 28), 10, 0.0)
    model = models.with_head(base, base.head)
    artifacts.save_json(results.SAMPLES / "kept.json", {"bytes": 7})
    results.save("lora", model, base, kept_bytes=7, strength=0.5, strengths=[0.0, 0.5])
    assert json.loads(Path("data/methods/lora/facts.json").read_text()) == {
        "original_data": "validation",
        "trainable_parameters": 91_658,
        "kept_bytes": 7,
        "strength": 0.5,
        "strengths": [0.0, 0.5],
    }
    files = {file.name for file in Path("data/methods/lora").iterdir()}
    assert files == {"facts.json", "weights.safetensors"}
