"""The names of a classifier's classes, as files from outside have them."""

import json
from pathlib import Path
from typing import Any

import pytest
import timm
import torch

from pipeline.core.errors import InputError
from pipeline.new_class import outside
from pipeline.new_class.starting import Network, Start

NAMES = ["cat", "dög", "hen"]


def started(tmp_path: Path, label_names: Any = None, classes: bytes | None = None) -> Start:
    """What is made of a classifier of three classes, whose names stand in either place."""
    torch.manual_seed(2)
    model: Any = timm.create_model("test_resnet", num_classes=3)
    timm.models.save_for_hf(model, str(tmp_path / "pets"), safe_serialization=True)
    config = tmp_path / "pets/config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"label_names": label_names}))
    if classes is not None:
        (tmp_path / outside.NAMES).write_bytes(classes)
    given = {"trunk": "local-dir:pets", "weights": "pretrained", "path": str(tmp_path)}
    return outside.start(Network.model_validate(given | {"head": "auto", "train": "all"}))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_names_in_a_file_are_those_of_any_editor(tmp_path: Path, encoding: str, end: str) -> None:
    content = "".join(f"{name}{end}" for name in NAMES).encode(encoding)
    assert started(tmp_path, classes=content).classes == NAMES


def test_names_in_another_encoding_are_refused_in_a_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"classes\.txt: byte 6 is not of a text in UTF-8") as told:
        started(tmp_path, classes="\n".join(NAMES).encode("latin-1"))
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("given", [NAMES, {"2": "hen", "0": "cat", "1": "dög"}])
def test_names_in_the_configuration_are_listed_or_by_their_indices(
    tmp_path: Path, given: Any
) -> None:
    assert started(tmp_path, given).classes == NAMES


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"cat": 0, "dog": 1, "hen": 2}, "has the key 'cat'; indices from 0 on accepted"),
        ({"0": "cat", "1": "dog", "3": "hen"}, "has the key '3'; indices from 0 on accepted"),
        ({"0": "cat", "1": "dog", "²": "hen"}, "has the key '²'; indices from 0 on accepted"),
        ("cat", "is 'cat'; a list of names accepted"),
        (["cat", "dog"], "has 2 different names, but the classifier has 3 classes"),
    ],
)
def test_names_of_another_shape_are_refused_in_a_line(
    tmp_path: Path, given: Any, message: str
) -> None:
    with pytest.raises(InputError) as told:
        started(tmp_path, given)
    assert str(told.value) == f"local-dir:pets: label_names {message}"
