"""Cells that start from a base model, and that run some methods alone, by the real DVC."""

import json
from typing import Any

import pytest

from tests.project import Project
from tests.studies.toy import define, ran, study

pytestmark = pytest.mark.slow

STAGE = """
import json, os, pathlib, sys, yaml

params = yaml.safe_load(open("params.yaml"))
name = sys.argv[1]
network, base = params["network"], pathlib.Path("data/base/model.safetensors")
with open(os.environ["RAN"], "a") as file:
    print(f"{name}_{params['seed']}", file=file)

def write(path, text):
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)

if name == "weights":
    given = network["weights"] != "none"
    write("data/weights", open(f"{network['path']}/{network['weights']}").read() if given else "-")
elif name == "pretrain":
    write(base, f"{params['seed']} from {open('data/weights').read()}")
elif name == "evaluate":
    made = {name: open(f"data/methods/{name}").read() for name in params["methods"]}
    figures = {"base": base.read_text(), "seed": params["seed"], **made}
    write("metrics/toy.json", json.dumps(figures))
else:
    write(f"data/methods/{name}", name)
"""


def stage(name: str, deps: list[str], params: list[str], output: str) -> dict[str, Any]:
    return {
        "cmd": f"python stage.py {name}",
        "deps": ["stage.py", *deps],
        "params": params,
        "outs": [output],
    }


DAG = {
    "weights": stage("weights", ["${network.path}"], ["network"], "data/weights"),
    "pretrain": stage("pretrain", ["data/weights"], ["seed"], "data/base"),
    **{
        name: stage(name, ["data/base"], ["seed"], f"data/methods/{name}")
        for name in ("one", "two")
    },
    "evaluate": stage(
        "evaluate",
        ["data/base", "data/methods/one", "data/methods/two"],
        ["seed", "methods"],
        "data/evaluated",
    )
    | {"outs": [], "metrics": [{"metrics/toy.json": {"cache": False}}]},
}
CASES = {
    "plain": {"set": {"methods": ["one"]}},
    "started": {"start": "trunk", "set": {"methods": []}},
}


@pytest.fixture
def toy(toy: Project) -> Project:
    files = {
        "stage.py": STAGE,
        "dvc.yaml": json.dumps({"stages": DAG}),
        "params.yaml": json.dumps(
            {
                "seed": 0,
                "network": {"path": "data/own", "weights": "none"},
                "methods": ["one", "two"],
            }
        ),
        "data/own/README.md": "",
    }
    for name, text in files.items():
        (toy.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (toy.folder / name).write_text(text)
    return toy


def runs(project: Project, *stages: str) -> list[str]:
    return [each for each in ran(project) if each.startswith(stages)]


def test_a_start_is_made_once_and_only_listed_methods_are_run(toy: Project) -> None:
    define(toy, [1], against="seed", starts={"trunk": {"seed": 7}}, cases=CASES)
    study(toy, "toy")
    assert runs(toy, "one", "two") == ["one_1"]
    assert runs(toy, "pretrain") == ["pretrain_1", "pretrain_1", "pretrain_7"]
    content = toy.json("metrics/studies/toy.json")
    metrics = {cell["case"]: cell["metrics"]["toy"] for cell in content["cells"].values()}
    assert metrics == {
        "plain": {"base": "1 from -", "seed": 1, "one": "one"},
        "started": {"base": "1 from 7 from -", "seed": 1},
    }

    define(toy, [1, 2], against="seed", starts={"trunk": {"seed": 7}}, cases=CASES)
    study(toy, "toy")
    assert runs(toy, "pretrain_7") == ["pretrain_7"]
    assert runs(toy, "pretrain_1") == ["pretrain_1"] * 2
    content = toy.json("metrics/studies/toy.json")
    assert content["values"] == ["1", "2"]
    seeds = {"1": {"mean": 1, "ci95": 0, "n": 1}, "2": {"mean": 2, "ci95": 0, "n": 1}}
    for case in CASES:
        summary = content["summary"][case]
        assert {value: each["toy"]["seed"] for value, each in summary.items()} == seeds


def test_of_a_method_that_is_added_it_alone_is_run(toy: Project) -> None:
    cases = {"plain": {"set": {"methods": ["one"]}}}
    define(toy, [1], cases=cases)
    study(toy, "toy")
    cases["plain"]["set"]["methods"] = ["two", "one"]
    define(toy, [1], cases=cases)
    study(toy, "toy")
    assert runs(toy, "pretrain", "one", "two") == ["one_1", "pretrain_1", "two_1"]
    [cell] = toy.json("metrics/studies/toy.json")["cells"].values()
    assert cell["metrics"] == {"toy": {"base": "1 from -", "seed": 1, "one": "one", "two": "two"}}
    assert set(cell["parameters"]) == set(cell["code"]) == {"toy", "toy/one", "toy/two"}


def test_a_cell_whose_base_is_another_one_now_is_run_as_a_whole(toy: Project) -> None:
    cases = {"plain": {"set": {"methods": ["one"]}}}
    define(toy, [1], cases=cases)
    study(toy, "toy")
    code = (toy.folder / "stage.py").read_text()
    (toy.folder / "stage.py").write_text(code.replace("} from {", "} out of {"))
    cases["plain"]["set"]["methods"] = ["one", "two"]
    define(toy, [1], cases=cases)
    study(toy, "toy")
    assert runs(toy, "one", "two") == ["one_1", "one_1", "two_1"]
    [cell] = toy.json("metrics/studies/toy.json")["cells"].values()
    assert cell["metrics"]["toy"]["base"] == "1 out of -"
    assert len({*cell["code"].values()}) == 1
