"""Studies: what is missing is run, in copies, by the real DVC; here a pipeline of one stage."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from pipeline.core import params
from tests.project import Project, hear_ctrl_c
from tests.studies.toy import define, ran, study, variables


@pytest.mark.slow
def test_what_failed_is_run_again_and_what_is_there_is_not(toy: Project) -> None:
    failed = study(toy, "toy", code=2)
    assert "study: default,seed=9: stage all failed" in failed
    assert "nine is not a seed" in failed
    toy.folder.with_name("mended").touch()
    study(toy, "toy")
    assert ran(toy) == ["1", "9", "9"]
    content = toy.json("metrics/studies/toy.json")
    assert content["summary"]["default"]["toy"] == {
        "a": {"accuracy": {"mean": 0.5, "ci95": pytest.approx(5.082482), "n": 2}}
    }
    cell = content["cells"]["default,seed=9"]
    assert cell["settings"] == {"seed": 9}
    assert cell["metrics"] == {"toy": {"a": {"accuracy": 0.9, "b": "c"}}}
    assert cell["code"]["toy"] == toy.run("git", "rev-parse", "HEAD:pipeline").strip()
    toy.commit("results")
    study(toy, "toy")
    assert ran(toy) == ["1", "9", "9"]
    assert not list((toy.folder / ".dvc/tmp/studies/toy").iterdir())


@pytest.mark.slow
def test_another_cell_is_run_alone_and_a_dropped_one_is_gone(toy: Project) -> None:
    define(toy, [1, 2])
    study(toy, "toy")
    define(toy, [2, 3])
    study(toy, "toy")
    assert ran(toy) == ["1", "2", "3"]
    assert set(toy.json("metrics/studies/toy.json")["cells"]) == {
        "default,seed=2",
        "default,seed=3",
    }


@pytest.mark.slow
def test_of_a_cell_only_what_other_parameters_concern_is_run_again(toy: Project) -> None:
    other = {
        "cmd": "python stage.py && cp metrics/toy.json metrics/other.json",
        "params": ["split"],
    }
    dag = params.parsed(toy.folder / "dvc.yaml")
    dag["stages"]["other"] = other | {"metrics": [{"metrics/other.json": {"cache": False}}]}
    (toy.folder / "dvc.yaml").write_text(json.dumps(dag))
    (toy.folder / "params.yaml").write_text("seed: 0\nsplit: 1\n")
    define(toy, [1], metrics=["toy", "other"])
    study(toy, "toy")
    assert ran(toy) == ["1", "1"]
    before = toy.json("metrics/studies/toy.json")["cells"]["default,seed=1"]
    (toy.folder / "params.yaml").write_text("seed: 0\nsplit: 2\n")
    toy.commit("other")
    study(toy, "toy")
    assert ran(toy) == ["1", "1", "1"]
    after = toy.json("metrics/studies/toy.json")["cells"]["default,seed=1"]
    assert after["parameters"]["toy"] == before["parameters"]["toy"]
    assert after["parameters"]["other"] != before["parameters"]["other"]
    assert set(after["metrics"]) == {"toy", "other"}


@pytest.mark.slow
def test_what_another_study_has_run_is_not_run_again(toy: Project) -> None:
    define(toy, [1])
    study(toy, "toy")
    (toy.folder / "studies/other.yaml").write_text(
        json.dumps({"title": "o", "metrics": ["toy"], "vary": {"seed": [2, 1]}})
    )
    toy.commit("another study")
    study(toy, "other")
    assert ran(toy) == ["1", "2"]
    [one, other] = [toy.json(f"metrics/studies/{name}.json")["cells"] for name in ("toy", "other")]
    assert other["default,seed=1"] == one["default,seed=1"]


@pytest.mark.slow
def test_several_studies_are_run_one_after_the_other(toy: Project) -> None:
    define(toy, [1])
    (toy.folder / "studies/other.yaml").write_text(
        json.dumps({"title": "o", "metrics": ["toy"], "vary": {"seed": [2]}})
    )
    toy.commit("another study")
    study(toy, "toy", "other")
    assert ran(toy) == ["1", "2"]


@pytest.mark.slow
def test_cases_have_settings_and_axes_of_their_own(toy: Project) -> None:
    define(toy, [1, 2], cases={"one": {}, "two": {"set": {"seed": 5}, "vary": {}}})
    study(toy, "toy")
    summary = toy.json("metrics/studies/toy.json")["summary"]
    assert summary["one"]["toy"]["a"]["accuracy"]["n"] == 2
    assert summary["two"]["toy"]["a"]["accuracy"] == {"mean": 0.5, "ci95": 0.0, "n": 1}


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_study_that_was_ended_goes_on_where_it_stopped(toy: Project, number: int) -> None:
    define(toy, [1, 200])
    command = [sys.executable, "-m", "pipeline", "study", "toy"]
    environment = os.environ | variables(toy)
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    with subprocess.Popen(
        command,
        cwd=toy.folder,
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=hear_ctrl_c,
    ) as process:
        try:
            results = toy.folder / "metrics/studies/toy.json"
            for _ in range(600):
                if results.exists() and "200" in ran(toy):
                    break
                time.sleep(0.1)
            process.send_signal(number)
            assert process.stderr is not None
            if number != signal.SIGKILL:
                assert process.wait(20) == 130
                assert process.stderr.read().splitlines()[-1] == "study: interrupted"
        finally:
            process.kill()
    study(toy, "toy")
    assert ran(toy) == ["1", "200", "200"]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ([], "study: found nothing; accepted: toy"),
        (["tyo"], "study: studies/tyo.yaml: no such study; did you mean toy?"),
    ],
)
def test_other_names_are_refused(toy: Project, names: list[str], message: str) -> None:
    assert study(toy, *names, code=2) == f"{message}\n"


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"cace": {}}, "studies/toy.yaml: unknown key cace; did you mean cases?"),
        ({"vary": {"sead": [1]}}, "params.yaml: no key sead; did you mean seed?"),
        ({"vary": {"+sead.a": [1]}}, "params.yaml: no key +sead.a; accepted: seed"),
        (
            {"claims": [{"text": "t", "better": ["default", "a.b"], "worse": ["default", "a.c"]}]},
            "studies/toy.yaml: claims need `against`, which is missing",
        ),
        (
            {
                "against": "seed",
                "claims": [{"text": "t", "better": ["defalt", "a.b"], "worse": ["default", "a.c"]}],
            },
            "studies/toy.yaml: claims has the case 'defalt'; did you mean default?",
        ),
        (
            {
                "against": "seed",
                "claims": [{"text": "t", "better": ["default", "base.acuracy"], "worse": ["", ""]}],
            },
            "studies/toy.yaml: claims has 'base.acuracy' of the case default; "
            "did you mean base.accuracy?",
        ),
        (
            {
                "against": "seed",
                "claims": [{"text": "t", "better": ["default", "base.rank"], "worse": ["", ""]}],
            },
            "studies/toy.yaml: claims has 'base.rank' of the case default; "
            "did you mean base.accuracy?",
        ),
        (
            {
                "against": "seed",
                "cases": {"one": {}, "two": {"vary": {"seed": [1], "scale": [1]}}},
                "claims": [
                    {
                        "text": "t",
                        "better": ["one", "base.accuracy"],
                        "worse": ["two", "base.accuracy"],
                    }
                ],
            },
            "studies/toy.yaml: claims compares the cases one and two, of which one alone varies "
            "scale; the same of both accepted",
        ),
        (
            {"claims": [{"text": "t", "better": ["a", "b"], "worse": ["a", "b"], "magrin": 1}]},
            "studies/toy.yaml: unknown key claims.0.magrin; did you mean claims.0.margin?",
        ),
        (
            {"cases": {"low": {"sett": {}}}},
            "studies/toy.yaml: unknown key cases.low.sett; did you mean cases.low.set?",
        ),
        (
            {"vary": {"seed": []}},
            "studies/toy.yaml: vary.seed is []: "
            "list should have at least 1 item after validation, not 0",
        ),
        (
            {"cases": {}},
            "studies/toy.yaml: cases is {}: "
            "dictionary should have at least 1 item after validation, not 0",
        ),
        (
            {"cases": {"one": {"set": {"methods": ["lorra"]}}}},
            "studies/toy.yaml: case one: no method 'lorra'; dvc.yaml has none",
        ),
        (
            {"cases": {"one": {"set": {"methods": "lora"}}}},
            "studies/toy.yaml: case one: methods is 'lora'; a list accepted",
        ),
        ({"metrics": ["toi"]}, "dvc.yaml: no stage makes the metric toi; did you mean toy?"),
        (
            {"starts": {"trunk": {}}, "cases": {"one": {"start": "trunks"}}},
            "studies/toy.yaml: cases.one.start is 'trunks'; did you mean trunk?",
        ),
        (
            {"against": "sede"},
            "studies/toy.yaml: against is 'sede', which case default does not set; "
            "did you mean seed?",
        ),
    ],
)
def test_bad_definitions_are_refused(toy: Project, more: dict[str, Any], message: str) -> None:
    committed = toy.folder / "metrics/toy.json"  # whose figures claims are made of
    committed.parent.mkdir()
    committed.write_text('{"base": {"accuracy": 1.0, "rank": 3}}')
    define(toy, [1], **more)
    assert study(toy, "toy", code=2) == f"study: {message}\n"


def test_changes_must_be_committed(toy: Project) -> None:
    (toy.folder / "params.yaml").write_text("seed: 3\n")
    assert study(toy, "toy", code=2) == "study: params.yaml has changed: commit it first\n"
