"""params.yaml: what is accepted, and what is said of the rest."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline import params
from pipeline.__main__ import check, main
from pipeline.errors import InputError
from tests.project import ROOT

Edit = Callable[[dict[str, Any]], None]


def test_committed_parameters_are_accepted(sources: Path) -> None:
    check()


def test_settings_of_the_demo_are_accepted(edit: Edit) -> None:
    makefile = (ROOT / "Makefile").read_text()
    found = re.search(r"^DEMO = ((?:.*\\\n)*.*)", makefile, re.MULTILINE)
    assert found
    for setting in found[1].replace("\\\n", " ").split():
        key, value = setting.split("=")
        change = yaml.safe_load(value)
        for name in reversed(key.split(".")):
            change = {name: change}
        edit(change)
    check()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"lorra": {}}, "unknown key lorra; did you mean lora?"),
        ({"lora": {"rnak": 4}}, "unknown key lora.rnak; did you mean lora.rank?"),
        ({"lora": {"rank": 0}}, "lora.rank is 0: input should be greater than or equal to 1"),
        ({"lora": {"rank": "four"}}, "lora.rank is 'four': input should be a valid integer"),
        ({"lora": {"targets": []}}, "lora.targets is []: list should have at least 1 item"),
        ({"split": {"validation": 1.5}}, "split.validation is 1.5: input should be less than 1"),
        ({"seed": -1}, "seed is -1: input should be greater than or equal to 0"),
        ({"data": {"dataset": "cifar"}}, "data.dataset is 'cifar': input should be 'mnist' or"),
        ({"replay": {"budget": 0}}, "replay.budget is 0"),
        ({"compute": {"threads": True}}, "compute.threads is True: input should be a valid int"),
        (
            {"lora": {"search": {"epochs": {"low": 5, "high": 2}}}},
            "lora.search.epochs is {'high': 2, 'low': 5}: low ≤ high accepted",
        ),
        (
            {"pretrain": {"augmentation": {"shear": 1}}},
            "unknown key pretrain.augmentation.shear; did you mean pretrain.augmentation.scale?",
        ),
        (
            {"rank_sweep": {"published": {"epoch": 1}}},
            "unknown key rank_sweep.published.epoch; did you mean rank_sweep.published.epochs?",
        ),
        ({"rank_sweep": {"ranks": [4, 0]}}, "rank_sweep.ranks.1 is 0: input should be greater"),
        ({"label_efficiency": {"images": [2]}}, "label_efficiency.images is [2]: list should"),
        ({"shapes": {"unknown": ["star"]}}, "shapes is {"),
        (
            {"shapes": {"target": ["star", "heart"]}},
            "shapes.target.1 is 'heart': accepted: triangle",
        ),
    ],
)
def test_bad_parameters_are_refused_by_name(
    edit: Edit, capsys: pytest.CaptureFixture[str], change: dict[str, Any], message: str
) -> None:
    edit(change)
    assert main(["check"]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith(f"check: params.yaml: {message}")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("seed: [", "params.yaml: not readable as YAML"),
        ("- 1", "params.yaml: holds [1]; a mapping of sections is accepted"),
        ("data: {}", "params.yaml: section seed is missing"),
    ],
)
def test_unreadable_parameters(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "params.yaml"
    path.write_text(text)

    def stage(seed: params.Seed) -> None: ...

    with pytest.raises(InputError) as error:
        params.arguments(stage, path)
    assert message in str(error.value)


def test_exponents_without_a_point_are_numbers(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_text("seed: 3e-4")
    assert params.read(path) == {"seed": 3e-4}


def test_unknown_stage_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evalute"]) == 2
    assert "usage: python -m pipeline {" in capsys.readouterr().err
