"""The summary of several seeds."""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from pipeline import replicates
from pipeline.errors import InputError
from tests.project import ROOT, Project


def test_interval_is_students() -> None:
    values = np.array([0.99, 0.991, 0.992, 0.9885, 0.993])
    ours = replicates.interval(values)
    low, high = stats.t.interval(0.95, 4, loc=values.mean(), scale=stats.sem(values))
    assert ours["n"] == 5
    assert ours["mean"] == pytest.approx((low + high) / 2)
    assert ours["ci95"] == pytest.approx((high - low) / 2)


def test_summary_has_every_number_and_nothing_else() -> None:
    results = [
        {"evaluate": {"lora": {"accuracy": value, "original_data": False, "ci": [0, 1]}}}
        for value in (0.5, 0.7)
    ]
    summary = replicates.summary(results)
    assert list(summary["evaluate"]["lora"]) == ["accuracy"]
    assert summary["evaluate"]["lora"]["accuracy"]["mean"] == pytest.approx(0.6)
    assert summary["evaluate"]["lora"]["accuracy"]["n"] == 2


@pytest.mark.parametrize("published", [True, False])
def test_pictures_show_intervals(published: bool) -> None:
    def result(value: float) -> dict[str, Any]:
        keys = ("accuracy", "accuracy_old", "accuracy_new", "trainable_parameters")
        figures: dict[str, Any] = dict.fromkeys(keys, value) | {"original_data": True}
        sweep = {"full": figures, "rank_1": figures, "rank_4": figures}
        return {
            "evaluate": {"base": figures, "replay": figures},
            "rank_sweep": {"base": figures, "published": sweep if published else {}, **sweep},
            "transfer": {"label_efficiency": {"transfer": {"2": value, "10": value}}},
        }

    drawn = []
    for spread in (0.001, 0.01):
        results = [result(0.9), result(0.9 + spread)]
        drawn.append(replicates.pictures(replicates.summary(results), results[0]))
    assert list(drawn[0]) == ["methods", "rank_sweep", "label_efficiency"]
    for name, picture in drawn[0].items():
        assert picture.startswith(b"\x89PNG")
        assert picture != drawn[1][name]


STAGE = """
import json, os, pathlib, yaml

seed = yaml.safe_load(open("params.yaml"))["seed"]
with open(os.environ["RAN"], "a") as ran:
    print(seed, file=ran)
if seed == 9 and not os.path.exists(os.environ["RAN"].replace("ran", "mended")):
    raise SystemExit(1)
one = dict.fromkeys(("accuracy", "accuracy_old", "accuracy_new", "trainable_parameters"), seed / 10)
sweep = {"full": one, "rank_1": one}
results = {
    "evaluate": {"base": one | {"original_data": True}, "replay": one | {"original_data": True}},
    "rank_sweep": sweep | {"base": one, "published": sweep},
    "transfer": {"label_efficiency": {"transfer": {"2": 0.9, "5": 1.0}}},
}
pathlib.Path("metrics").mkdir(exist_ok=True)
for name, content in results.items():
    pathlib.Path(f"metrics/{name}.json").write_text(json.dumps(content))
"""

DAG = """
stages:
  all:
    cmd: python stage.py
    deps: [stage.py]
    params: [seed]
    metrics:
      - metrics/evaluate.json: {cache: false}
      - metrics/rank_sweep.json: {cache: false}
      - metrics/transfer.json: {cache: false}
"""
"""A pipeline that is over at once, to drive DVC's real queue."""


def test_replicates_go_on_where_they_stopped(tmp_path: Path) -> None:
    project = Project(tmp_path / "project")
    project.folder.mkdir()
    files = {"stage.py": STAGE, "dvc.yaml": DAG, "params.yaml": "seed: 0\n"}
    for name, text in files.items():
        (project.folder / name).write_text(text)
    project.run("git", "init", "--quiet")
    project.run("dvc", "init", "--quiet")
    project.commit()
    command = (sys.executable, "-m", "pipeline.replicates")
    environment = {"PYTHONPATH": str(ROOT), "RAN": str(tmp_path / "ran")}
    failed = project.run(*command, "1", "9", environment=environment, code=2)
    assert "replicates: seed 9 failed" in failed
    (tmp_path / "mended").touch()
    project.run(*command, "1", "9", environment=environment)
    assert sorted((tmp_path / "ran").read_text().split()) == ["1", "9", "9"]
    figures = json.loads((project.folder / "metrics/replicates.json").read_text())
    assert figures["evaluate"]["replay"]["accuracy"]["mean"] == pytest.approx(0.5)
    assert (project.folder / "plots/replicates_methods.png").exists()
    (project.folder / "params.yaml").write_text("seed: 3\n")
    refused = project.run(*command, "1", "9", environment=environment, code=2)
    assert refused.startswith("replicates: params.yaml has changed: commit it first")


@pytest.mark.parametrize("arguments", [[], ["1"], ["1", "1"], ["1", "x"], ["1", "-2"]])
def test_other_than_different_seeds_are_refused(arguments: list[str]) -> None:
    with pytest.raises(InputError, match="two or more different seeds are accepted"):
        replicates.chosen(arguments)
