"""A pipeline of one stage, and the studies of it."""

import json
import sys
from typing import Any

from tests.project import ROOT, Project

STAGE = """
import json, os, pathlib, time, yaml

seed = yaml.safe_load(open("params.yaml"))["seed"]
with open(os.environ["RAN"], "a") as ran:
    print(seed, file=ran)
if seed == 9 and not os.path.exists(os.environ["RAN"].replace("ran", "mended")):
    raise SystemExit("nine is not a seed")
if seed > 100:
    time.sleep(seed / 10)
pathlib.Path("metrics").mkdir(exist_ok=True)
pathlib.Path("metrics/toy.json").write_text(json.dumps({"a": {"accuracy": seed / 10, "b": "c"}}))
"""
DAG = """
stages:
  all:
    cmd: python stage.py
    deps: [stage.py]
    params: [seed]
    metrics:
      - metrics/toy.json: {cache: false}
"""


def define(project: Project, seeds: list[int], **more: Any) -> None:
    definition = {"title": "t", "metrics": ["toy"], "vary": {"seed": seeds}}
    (project.folder / "studies").mkdir(exist_ok=True)
    (project.folder / "studies/toy.yaml").write_text(json.dumps(definition | more))
    project.commit()


def variables(project: Project) -> dict[str, str]:
    return {"PYTHONPATH": str(ROOT), "RAN": str(project.folder.with_name("ran"))}


def study(project: Project, *names: str, code: int = 0) -> str:
    command = (sys.executable, "-m", "pipeline", "study", *names)
    return project.run(*command, environment=variables(project), code=code)


def ran(project: Project) -> list[str]:
    return sorted(project.folder.with_name("ran").read_text().split())
