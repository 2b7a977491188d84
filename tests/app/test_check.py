"""`python -m pipeline check`: what is accepted, and what is said of the rest."""

import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from pipeline.__main__ import COMMANDS, main
from pipeline.core import params
from pipeline.studies import demo
from tests.project import SMALL, Project

Edit = Callable[[dict[str, Any]], None]


def test_committed_parameters_and_those_of_demo_and_tests_are_accepted(edit: Edit) -> None:
    for changes in ({}, demo.SETTINGS, SMALL):
        edit(dict(changes))
        assert main(["check"]) == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"lorra": {}}, "unknown key lorra; did you mean lora?"),
        ({"ranks.swep": {}}, "unknown key ranks.swep; did you mean ranks.sweep?"),
        ({"plot": {}}, "section plot is read by no stage"),
        ({"lora.rnak": 4}, "unknown key lora.rnak; did you mean lora.rank?"),
        ({"lora.rank": 0}, "lora.rank is 0: input should be greater than or equal to 1"),
        ({"lora.rank": "four"}, "lora.rank is 'four': input should be a valid integer"),
        ({"lora.targets": []}, "lora.targets is []: list should have at least 1 item"),
        ({"lora.optimizer": "lion"}, "lora.optimizer is 'lion': input should be 'adam', "),
        ({"split.validation": 1.5}, "split.validation is 1.5: input should be less than 1"),
        ({"split.new_classes": [True]}, "split.new_classes.0 is True: unquoted yes, no"),
        ({"seed": -1}, "seed is -1: input should be greater than or equal to 0"),
        ({"data.source": "cifar"}, "data.source is 'cifar': input should be 'mnist'"),
        ({"replay.budget": 0}, "replay.budget is 0"),
        ({"compute.threads": True}, "compute.threads is True: input should be a valid int"),
        (
            {"lora.search.epochs": {"low": 5, "high": 2}},
            "lora.search.epochs is {'low': 5, 'high': 2}: low ≤ high accepted",
        ),
        (
            {"pretrain.augmentation": {"rotation": 0, "scale": 0, "translation": 0, "shear": 1}},
            "unknown key pretrain.augmentation.shear; did you mean pretrain.augmentation.scale?",
        ),
        (
            {"ranks.sweep.published.epoch": 1},
            "unknown key ranks.sweep.published.epoch; did you mean ranks.sweep.published.epochs?",
        ),
        ({"ranks.sweep.ranks": [4, 0]}, "ranks.sweep.ranks.1 is 0: input should be greater"),
        ({"shapes.few_labels.images": [2]}, "shapes.few_labels.images is [2]: list should"),
        ({"shapes.draw.unknown": ["star"]}, "shapes.draw is {"),
        (
            {"shapes.draw.target": ["star", "heart"]},
            "shapes.draw.target.1 is 'heart': accepted: triangle",
        ),
        (
            {"methods": ["lora", "lroa"]},
            "methods has lroa, but there is no pipeline/methods/lroa.py",
        ),
        ({"methods": ["lora", "lora"]}, "methods names lora twice"),
        ({"split.new_classes": []}, "split.new_classes is []: nothing is left to learn"),
        ({"split.new_classes": list(range(10))}, "split.new_classes names all classes: no old one"),
        ({"split.new_classes": [10]}, "split.new_classes has 10, which is no class; did you mean"),
        ({"split.new_classes": [1, "1"]}, "split.new_classes names 1 twice"),
        (
            {"data.source": "cifar10", "split.new_classes": ["airplan"]},
            "split.new_classes has airplan, which is no class; did you mean airplane?",
        ),
        (
            {"ranks.pretrain.classes": [0, 1]},
            "ranks.pretrain.classes names 2 classes, and the sweep is of 8; 1 to 2 accepted",
        ),
        ({"ranks.sweep.classes": [4, 5]}, "ranks.sweep.classes has 4, which ranks.pretrain.cl"),
        (
            {"lora.targets": ["conv"]},
            "lora: no dense or convolutional layer is named 'conv'; accepted: trunk.1, trunk.4",
        ),
        (
            {"gaussian_lora.targets": ["trunk.4"]},
            "gaussian_lora: trunk.4 lies in the trunk, and there are but features to train on; acc",
        ),
        (
            {"network.train": "conv_4"},
            "network.train is 'conv_4'; accepted: all, head, conv_1, conv",
        ),
        ({"pretrain.trunk_rate": 0}, "pretrain.trunk_rate is 0: input should be greater than 0"),
        ({"lora.targets": ["output", "output"]}, "lora.targets is ['output', 'output']: output is"),
        ({"lora.rank": 10_000}, "lora: rank 10000 is above 128, what the targets can have"),
        ({"reft.layer": "conv"}, "reft: no dense layer is named conv; accepted: dense_1, dense_2"),
        ({"reft.rank": 200}, "reft: rank 200 is above 128, the inputs of output"),
        ({"ranks.sweep.ranks": [2, 2]}, "ranks.sweep.ranks is [2, 2]: 2 is named twice"),
        ({"analytic.widths": [4000]}, "analytic.widths has 4000, but statistics.width is 3000"),
        ({"network.trunk": "residul"}, "network.trunk is 'residul', a network neither of timm nor"),
        (
            {"network.weights": "pretrained"},
            "network.weights is 'pretrained': nobody publishes wei",
        ),
        ({"network.path": "~/x"}, "network.path is '~/x': ~ is not expanded by DVC; write "),
        ({"network.head": [0]}, "network.head.0 is 0: input should be greater than or equal to 1"),
        (
            {"network.head": [9], "lora.rank": 11},
            "lora: rank 11 is above 9, what the targets can h",
        ),
        ({"pretrain.epochs": 0}, "pretrain.epochs is 0 and network.weights none: nothing would be"),
        ({"compute.device": "cuda"}, "compute.device is cuda, but PyTorch finds no GPU"),
        ({"compute.threads": 10_000}, "compute.threads is 10000: input should be less than or eq"),
        ({"replay.batch": 10**9}, "replay.batch is 1000000000: input should be less than or equal"),
        ({"shapes.draw.size": 10_000}, "shapes.draw.size is 10000: input should be less than or"),
        (
            {"shapes.few_labels.images": [2, 5000]},
            "shapes.few_labels.images has 5000, but there are only 2000 of every class",
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


def test_methods_that_need_what_is_gone_are_named(
    edit: Edit, capsys: pytest.CaptureFixture[str]
) -> None:
    for folder in ("photos/train/ant", "photos/test/ant", "photos/test/cat", "nets"):
        Path(folder).mkdir(parents=True)
    Path("nets/sums.safetensors").touch()
    edit({
        "data.source": "folder",
        "data.path": "photos",
        "split.new_classes": ["ant"],
        "pretrain.epochs": 0,
        "network.trunk": "local-dir:x",
        "network.weights": "pretrained",
        "network.path": "nets",
    })  # fmt: skip
    assert main(["check"]) == 0
    lines = capsys.readouterr().out.splitlines()
    named = {line.partition(" is left out: it reads data/")[0] for line in lines}
    left = {"sequential", "lora", "analytic", "finetune_all", "distillation"}
    assert named == {*params.read()["methods"]} - left
    Path("photos/train/cat").mkdir()
    assert main(["check"]) == 0
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "it is None; a mapping accepted"),
        ("[]", "it is []; a mapping accepted"),
        ("vars: []", "stages is None; a mapping accepted"),
        ("stages: [evaluate]", "stages is ['evaluate']; a mapping accepted"),
        ("stages: {}", "there is no stage evaluate"),
        ("stages: {evaluate: }", "stages.evaluate is None; a mapping accepted"),
        ("stages: {evaluate: {cmd: x}}", "pipeline/methods/"),
        ("stages: {evaluate: {deps: data}}", "stages.evaluate.deps is 'data'; a list of paths"),
        ("stages: {evaluate: {deps: [1]}}", "stages.evaluate.deps is [1]; a list of paths"),
        ("stages: {evaluate: {outs: [{}]}}", "stages.evaluate.outs is [{}]; a list of paths"),
        ("stages: {", "not readable as YAML: "),
    ],
)
def test_stages_of_another_shape_are_refused_in_a_line(
    sources: Path, capsys: pytest.CaptureFixture[str], content: str, message: str
) -> None:
    (sources / "dvc.yaml").write_text(content)
    assert main(["check"]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith(f"check: dvc.yaml: {message}")


def test_an_output_with_settings_of_dvc_is_an_output(sources: Path) -> None:
    made = {"data/methods/lora": {"persist": True}}
    Project(sources).edit("dvc.yaml", {"stages.lora.outs": [made]})
    assert main(["check"]) == 0


def test_unknown_names_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evalute"]) == 2
    assert "usage: python -m pipeline {check," in capsys.readouterr().err


def test_help_says_what_each_command_does(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    lines = capsys.readouterr().out.splitlines()
    named = [line.partition("`python -m pipeline ")[2] for line in lines[: len(COMMANDS)]]
    assert [re.split("[ `]", line)[0] for line in named] == [*COMMANDS]
    for command in COMMANDS:
        with suppress(SystemExit):  # of those whose library takes care of it
            assert main([command, "--help"]) == 0
        assert "python -m pipeline" in capsys.readouterr().out


def test_what_the_system_refuses_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["gate", "--from", "base", "--to", "a" * 300]) == 2
    assert capsys.readouterr().err == f"gate: {'a' * 300}: File name too long\n"
