"""params.yaml: what is accepted, and what is said of the rest."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline import __main__
from pipeline.core import params, run, stages
from pipeline.core.errors import InputError
from tests.project import ROOT

Edit = Callable[[dict[str, Any]], None]


def arguments(stage: str, path: Path = ROOT / params.PARAMS) -> dict[str, Any]:
    """What a stage is given."""
    return params.arguments(import_module(stages.find()[stage].module).main, path)


def changed(folder: Path, key: str, value: Any) -> Path:
    """The committed parameters with another value, or one more key."""
    content = yaml.safe_load((ROOT / params.PARAMS).read_text())
    *parents, last = key.split(".")
    section = content
    for name in parents:
        section = section[name]
    section[last] = value
    path = folder / "params.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


@pytest.mark.parametrize("stage", stages.find())
def test_committed_parameters_are_accepted(stage: str) -> None:
    arguments(stage)


@pytest.mark.parametrize(
    ("stage", "key", "value", "message"),
    [
        ("lora", "lorra", {}, "unknown key lorra; did you mean lora?"),
        ("lora", "lora.rnak", 4, "unknown key lora.rnak; did you mean lora.rank?"),
        ("lora", "lora.Rank", 4, "unknown key lora.Rank; did you mean lora.rank?"),
        ("lora", "lora.rank", 0, "lora.rank is 0: input should be greater than or equal to 1"),
        ("lora", "lora.rank", "four", "lora.rank is 'four': input should be a valid integer"),
        ("lora", "lora.targets", [], "lora.targets is []: list should have at least 1 item"),
        ("lora", "seed", -1, "seed is -1: input should be greater than or equal to 0"),
        ("lora", "compute.threads", True, "compute.threads is True: input should be a valid int"),
        (
            "lora",
            "lora.search.epochs",
            {"low": 5, "high": 2},
            "lora.search.epochs is {'high': 2, 'low': 5}: low ≤ high accepted",
        ),
        ("split", "split.validation", 1.5, "split.validation is 1.5: input should be less than 1"),
        ("split", "split.new_classes", [False], "split.new_classes.0 is False"),
        ("download", "data.source", "cifar", "data.source is 'cifar': input should be 'mnist'"),
        ("replay", "replay.budget", 0, "replay.budget is 0"),
        (
            "pretrain",
            "pretrain.augmentation",
            {"rotation": 0.1, "scale": 0.1, "translation": 0.0, "shear": 1},
            "unknown key pretrain.augmentation.shear; did you mean pretrain.augmentation.scale?",
        ),
        ("ranks_sweep", "ranks.swep", {}, "unknown key ranks.swep; did you mean ranks.sweep?"),
        ("ranks_sweep", "ranks.sweep.ranks", [4, 0], "ranks.sweep.ranks.1 is 0: input should be"),
        (
            "ranks_sweep",
            "ranks.sweep.published.epoch",
            1,
            "unknown key ranks.sweep.published.epoch; did you mean ranks.sweep.published.epochs?",
        ),
        ("shapes_few_labels", "shapes.few_labels.images", [2], "shapes.few_labels.images is [2]"),
        ("shapes_draw", "shapes.draw.unknown", ["star"], "shapes.draw is {"),
        (
            "shapes_draw",
            "shapes.draw.target",
            ["star", "heart"],
            "shapes.draw.target.1 is 'heart': accepted: triangle",
        ),
    ],
)
def test_bad_parameters_are_refused_by_name(
    tmp_path: Path, stage: str, key: str, value: Any, message: str
) -> None:
    path = changed(tmp_path, key, value)
    with pytest.raises(InputError) as error:
        arguments(stage, path)
    assert str(error.value).startswith(f"{path}: {message}")
    assert "\n" not in str(error.value)


def test_stage_says_in_one_line_what_it_does_not_accept(
    edit: Edit, capsys: pytest.CaptureFixture[str]
) -> None:
    edit({"lora.rank": 0})
    assert run.main(["lora"]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("lora: params.yaml: lora.rank is 0")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("seed: [", "not readable as YAML"),
        ("- 1", "holds [1]; a mapping of sections is accepted"),
        ("ranks: 1", "ranks holds 1; a mapping of sections is accepted"),
        ("data: {}", "section seed is missing"),
        ("seed: 1\nseed: 2", "key seed is given twice"),
        ("seed: 1\n'seed': 1", "key seed is given twice"),
        ("seed: 1\nlora: {rank: 1, alpha: 1.0, rank: 2}", "key rank is given twice"),
    ],
)
def test_unreadable_parameters(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "params.yaml"
    path.write_text(text)

    def stage(seed: params.Seed) -> None: ...

    with pytest.raises(InputError, match=r"params\.yaml: ") as error:
        params.arguments(stage, path)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_key_of_an_anchor_may_be_given_anew(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_text("lora: &a {rank: 1, alpha: 2}\njoint: {<<: *a, rank: 3}")
    assert params.read(path)["joint"] == {"rank": 3, "alpha": 2}


def test_exponents_without_a_point_are_numbers(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_text("seed: 3e-4")
    assert params.read(path) == {"seed": 3e-4}


def test_class_that_is_a_number_is_the_one_of_that_name(tmp_path: Path) -> None:
    path = changed(tmp_path, "split.new_classes", [3, "7", "ß", 0.5])
    assert arguments("split", path)["split"].new_classes == ["3", "7", "ß", "0.5"]


@pytest.mark.parametrize("main", [__main__.main, run.main])
def test_unknown_stage_is_refused(
    main: Callable[[list[str]], int], capsys: pytest.CaptureFixture[str]
) -> None:
    for names in (["evalute"], []):
        assert main(names) == 2
        assert "evaluate" in capsys.readouterr().err
