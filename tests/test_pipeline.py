"""The pipeline as a whole, driven by the real DVC on the bundled digits."""

import ast
import inspect
import json
import signal
import subprocess
import sys
import time
from importlib import import_module
from pathlib import Path

import pytest
import yaml

from tests.project import ROOT, Project, stages_run

DAG = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
AFTER = ["evaluate", "plot"]
AFTER_SHAPES = ["evaluate_shapes", "plot"]
AFTER_SWEEP = ["evaluate_ranks", "plot"]
GAUSSIAN = ["gaussian_lora", "gaussian_replay"]
KEPT = ["statistics", "analytic", *GAUSSIAN]
METHODS = ["joint", "lora", "replay", "sequential", *KEPT]
DIGITS = ["pretrain", "features", *METHODS, *AFTER]
TRANSFERS = ["transfer", "transfer_both", "label_efficiency"]
SHAPES = ["shapes_pretrain", *TRANSFERS, *AFTER_SHAPES]
SWEEP = ["wide_pretrain", "rank_sweep", *AFTER_SWEEP]

RERUN = {
    "seed": [*DIGITS, *SHAPES, *SWEEP],
    "data": ["download", "split", *DIGITS, *SWEEP],
    "compute": [*DIGITS, *SHAPES, *SWEEP],
    "split": ["split", *DIGITS, *SWEEP],
    "pretrain": DIGITS,
    "replay": ["replay", *AFTER],
    "sequential": ["sequential", *AFTER],
    "lora": ["lora", *AFTER],
    "joint": ["joint", *AFTER],
    "statistics": [*KEPT, *AFTER],
    "analytic": ["analytic", *AFTER],
    "gaussian_replay": ["gaussian_replay", *AFTER],
    "gaussian_lora": ["gaussian_lora", *AFTER],
    "shapes": ["shapes", *SHAPES],
    "shapes_pretrain": SHAPES,
    "transfer": ["transfer", *AFTER_SHAPES],
    "transfer_both": ["transfer_both", *AFTER_SHAPES],
    "label_efficiency": ["label_efficiency", *AFTER_SHAPES],
    "wide_pretrain": SWEEP,
    "rank_sweep": ["rank_sweep", *AFTER_SWEEP],
}
"""The stages that each section of params.yaml reruns."""


def test_every_section_reruns_what_the_table_says() -> None:
    sections = yaml.safe_load((ROOT / "params.yaml").read_text())
    assert set(RERUN) == set(sections)
    for section in sections:
        direct = {name for name, stage in DAG.items() if section in stage.get("params", [])}
        assert downstream(direct) == set(RERUN[section]), section


def downstream(stages: set[str]) -> set[str]:
    """Some stages and all that depend on them."""
    made = {out: name for name in DAG for out in outputs(name)}
    while True:
        more = {
            name
            for name, stage in DAG.items()
            for dependency in stage.get("deps", [])
            for out, maker in made.items()
            if maker in stages and (Path(out).is_relative_to(dependency) or out == dependency)
        }
        if more <= stages:
            return stages
        stages = stages | more


def outputs(name: str) -> list[str]:
    stage = DAG[name]
    listed = [*stage.get("outs", []), *stage.get("metrics", []), *stage.get("plots", [])]
    return [out if isinstance(out, str) else next(iter(out)) for out in listed]


def test_repeating_runs_nothing(project: Project) -> None:
    assert "up to date" in project.run("dvc", "repro")
    assert project.run("git", "status", "--porcelain") == ""


def test_experiment_with_a_rank_runs_lora_and_what_follows(project: Project) -> None:
    assert stages_run(project.run("dvc", "exp", "run", "-S", "lora.rank=8")) == ["lora", *AFTER]
    facts = json.loads((project.folder / "data/methods/lora/facts.json").read_text())
    assert facts["trainable_parameters"] == 8 * ((576 + 128) + (128 + 128) + (128 + 10))
    shown = json.loads(project.run("dvc", "exp", "show", "--json"))
    assert len(shown) == 2
    assert "lora.rank" in project.run("dvc", "params", "diff")


def test_code_change_runs_the_stages_that_use_it(project: Project) -> None:
    expected = {
        "pipeline/stages/lora.py": {"lora"},
        "pipeline/heads.py": {"lora", "sequential"},
        "pipeline/drawing.py": {"shapes"},
        "pipeline/scoring.py": {"evaluate", "evaluate_shapes"},
        "pipeline/figures.py": {"plot"},
    }
    for file, stages in expected.items():
        project.append(file, "\n# changed\n")
        changed = json.loads(project.run("dvc", "status", "--json"))
        assert set(changed) == stages
        project.run("git", "checkout", "--quiet", file)
    project.append("pipeline/figures.py", "\n# changed\n")
    assert project.repro() == ["plot"]


def test_branches_can_be_compared(project: Project) -> None:
    project.run("git", "checkout", "--quiet", "-b", "other")
    project.set({"replay": {"budget": 2, "epochs": 1}})
    assert project.repro() == ["replay", *AFTER]
    project.commit()
    moved = json.loads(project.run("dvc", "metrics", "diff", "main", "--json"))
    assert "replay.accuracy" in moved["metrics/evaluate.json"]
    assert not any(key.startswith("lora.") for key in moved["metrics/evaluate.json"])
    changed = json.loads(project.run("dvc", "params", "diff", "main", "--json"))
    assert changed["params.yaml"]["replay.budget"] == {"old": None, "new": 2}
    page = project.run("dvc", "plots", "diff", "main", "--out", "page")
    assert (project.folder / "page/index.html").is_file(), page


def test_fresh_clone_is_known_to_be_up_to_date(project: Project) -> None:
    project.run("git", "clone", "--quiet", ".", "../clone")
    clone = Project(project.folder.parent / "clone")
    assert "up to date" in clone.run("dvc", "repro", "--dry", "--allow-missing")


def test_new_method_is_found_everywhere(project: Project) -> None:
    (project.folder / "pipeline/stages/shifted.py").write_text(
        '''"""Raises the base model's logits of the new classes."""

from pipeline import methods, models
from pipeline.datasets import Labelled
from pipeline.params import Positive, Section


class Shifted(Section):
    by: Positive


def main(shifted: Shifted) -> None:
    base = models.load("data/methods/base/model.safetensors")
    new = Labelled.load("data/split/new_train.safetensors").new
    base.head.output.bias.data[new] += shifted.by
    methods.save("shifted", base, trainable=len(new))
'''
    )
    project.set({"shifted": {"by": 2.0}})
    path = project.folder / "dvc.yaml"
    dag = yaml.safe_load(path.read_text())
    dag["stages"]["shifted"] = {
        "cmd": "python -m pipeline shifted",
        "deps": ["data/methods/base", "data/split/new_train.safetensors"],
        "params": ["shifted"],
        "outs": ["data/methods/shifted"],
    }
    path.write_text(yaml.safe_dump(dag))
    before = (project.folder / "plots/methods.png").read_bytes()
    assert project.repro() == ["shifted", *AFTER]
    figures = json.loads((project.folder / "metrics/evaluate.json").read_text())
    assert figures["shifted"]["trainable_parameters"] == 1
    assert figures["shifted"]["original_data"] is False
    assert "shifted" in project.run(sys.executable, "-m", "pipeline.report")
    assert "shifted" in (project.folder / "plots/predictions.csv").read_text().splitlines()[0]
    assert (project.folder / "plots/methods.png").read_bytes() != before


def test_interrupted_stage_leaves_nothing_and_is_run_again(project: Project) -> None:
    project.set({"pretrain": {"epochs": 1000, "patience": 1000}})
    command = [sys.executable, "-m", "pipeline", "pretrain"]
    base = project.folder / "data/methods/base"
    for file in base.iterdir():
        file.unlink()
    with subprocess.Popen(
        command,
        cwd=project.folder,
        stderr=subprocess.PIPE,
        text=True,
        # The tests may run in the background, where a shell ignores Ctrl-C for its children.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as stage:
        try:
            time.sleep(8)
            assert stage.poll() is None
            stage.send_signal(signal.SIGINT)
            assert stage.wait(20) == 130
            assert stage.stderr is not None
            assert stage.stderr.read().splitlines()[-1] == "pretrain: interrupted"
        finally:
            stage.kill()
    assert list(base.iterdir()) == []
    project.run("git", "checkout", "--quiet", "params.yaml")
    project.repro()
    assert project.run("git", "status", "--porcelain") == ""


@pytest.mark.parametrize("name", sorted(DAG))
def test_stage_declares_the_sections_and_code_it_reads(name: str) -> None:
    stage = DAG[name]
    main = import_module(f"pipeline.stages.{name}").main
    assert stage["cmd"] == f"python -m pipeline {name}"
    assert sorted(stage.get("params", [])) == sorted(inspect.signature(main).parameters)
    code = {dependency for dependency in stage["deps"] if dependency.endswith(".py")}
    own = imported(ROOT / f"pipeline/stages/{name}.py", set())
    assert code == imported(ROOT / "pipeline/__main__.py", own)


def imported(file: Path, found: set[str]) -> set[str]:
    """The project's modules that a file imports, directly or not, and itself."""
    found.add(file.relative_to(ROOT).as_posix())
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("pipeline"):
            whole = node.module == "pipeline"
            names = [f"pipeline.{each.name}" for each in node.names] if whole else [node.module]
            for module in names:
                path = ROOT / f"{str(module).replace('.', '/')}.py"
                if path.relative_to(ROOT).as_posix() not in found:
                    imported(path, found)
    return found


def test_old_data_and_test_data_are_read_only_where_they_may_be() -> None:
    def readers(part: str) -> set[str]:
        return {name for name, stage in DAG.items() if any(part in dep for dep in stage["deps"])}

    assert readers("split/old_train") == {
        "pretrain",
        "features",
        "joint",
        "wide_pretrain",
        "rank_sweep",
    }
    assert readers("features/old_train") == {"replay", "statistics"}
    assert readers("split/test") == {"evaluate", "evaluate_ranks"}
    assert readers("_test.safetensors") == {"evaluate_shapes"}
    made = {out for name in DAG for out in outputs(name) if "test" in out}
    assert made == {"data/split/test.safetensors"} | {
        f"data/shapes/{part}_test.safetensors" for part in ("source", "target", "unknown")
    }
