"""The pipeline as a whole, driven by the real DVC on the bundled digits."""

import ast
import inspect
import json
import signal
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
import yaml

from pipeline.core import dag, params, stages
from pipeline.studies import graph
from tests.project import ROOT, Project, hear_ctrl_c, stages_run

STAGES = dag.stages(ROOT)
LISTED: list[str] = params.read(ROOT / "params.yaml")["methods"]
AFTER = ["evaluate", "plot"]


def of_question(question: str) -> set[str]:
    return {name for name, stage in stages.find().items() if stage.question == question}


def rerun(section: str) -> set[str]:
    """The stages that a change of a section reruns, as dvc.yaml has it."""
    direct = {name for name, stage in STAGES.items() if section in stage.get("params", [])}
    return graph.downstream(STAGES, direct)


@pytest.mark.parametrize(
    "section", ["data", "network", "split", "pretrain", "statistics", "methods", *LISTED]
)
def test_sections_of_the_first_question_rerun_none_of_the_others(section: str) -> None:
    assert rerun(section) <= of_question("")
    assert rerun(section) >= {"evaluate", "plot"}


@pytest.mark.parametrize("question", stages.QUESTIONS)
def test_sections_of_a_question_rerun_that_question_alone(question: str) -> None:
    sections = params.read(ROOT / "params.yaml")[question]
    for section in sections:
        assert rerun(f"{question}.{section}") <= of_question(question)
        assert rerun(f"{question}.{section}") >= {f"{question}_evaluate", f"{question}_plot"}


@pytest.mark.parametrize("method", LISTED)
def test_a_method_reruns_itself_and_what_compares_it(method: str) -> None:
    assert rerun(method) == {method, *AFTER}


@pytest.mark.parametrize(
    ("plot", "question"), [("plot", ""), ("ranks_plot", "ranks"), ("shapes_plot", "shapes")]
)
def test_each_question_needs_nothing_of_the_others(plot: str, question: str) -> None:
    assert graph.upstream(STAGES, [plot]) <= of_question(question)


def test_repeating_runs_nothing(project: Project) -> None:
    assert "up to date" in project.run("dvc", "repro")
    assert project.pipeline("repro") == "everything is up to date\n"
    assert project.run("git", "status", "--porcelain") == ""


def test_experiment_with_a_rank_runs_lora_and_what_follows(project: Project) -> None:
    assert stages_run(project.run("dvc", "exp", "run", "-S", "lora.rank=8")) == ["lora", *AFTER]
    facts = project.json("data/methods/lora/facts.json")
    assert facts["trainable_parameters"] == 8 * ((576 + 128) + (128 + 128) + (128 + 10))
    shown = json.loads(project.run("dvc", "exp", "show", "--json"))
    assert len(shown) == 2
    assert "lora.rank" in project.run("dvc", "params", "diff")


def test_a_method_that_chooses_by_no_accuracy_can_stand_alone(project: Project) -> None:
    project.set({"methods": ["analytic"]})
    assert project.repro() == AFTER
    pictures = project.folder / "plots/new_class/pictures"
    assert (pictures / "studies.png").exists()
    assert not (pictures / "tradeoff.png").exists()


def test_other_new_classes_touch_neither_ranks_nor_shapes(project: Project) -> None:
    ran = stages_run(project.run("dvc", "exp", "run", "-S", "split.new_classes=[3]"))
    assert set(ran) == of_question("") - {"download", "weights"}


def test_code_change_runs_the_stages_that_use_it(project: Project) -> None:
    expected = {
        "pipeline/methods/lora.py": {"lora"},
        "pipeline/techniques/anchored.py": {"lora", "sequential"},
        "pipeline/shapes/drawing.py": {"shapes_draw"},
        "pipeline/scoring/measures.py": {"evaluate", "shapes_evaluate"},
        "pipeline/scoring/style.py": {"plot", "ranks_plot", "shapes_plot"},
        "pipeline/__main__.py": set(),
        "pipeline/app/results.py": set(),
    }
    for file, changed in expected.items():
        project.append(file, "\n# changed\n")
        assert set(json.loads(project.run("dvc", "status", "--json"))) == changed
        project.run("git", "checkout", "--quiet", file)


def test_branches_can_be_compared(project: Project) -> None:
    project.run("git", "checkout", "--quiet", "-b", "other")
    project.set({"replay.budget": 2, "replay.epochs": 1})
    assert project.repro() == ["replay", *AFTER]
    project.commit()
    moved = json.loads(project.run("dvc", "metrics", "diff", "main", "--json"))
    assert "replay.accuracy" in moved["metrics/new_class.json"]
    assert not any(key.startswith("lora.") for key in moved["metrics/new_class.json"])
    changed = json.loads(project.run("dvc", "params", "diff", "main", "--json"))
    assert changed["params.yaml"]["replay.budget"] == {"old": None, "new": 2}
    project.run("dvc", "plots", "diff", "main", "--out", "page")
    page = (project.folder / "page/index.html").read_text()
    assert "plots/new_class/curves" in page
    assert "plots/new_class/predictions" in page


def test_fresh_clone_is_known_to_be_up_to_date(project: Project) -> None:
    project.run("git", "clone", "--quiet", ".", "../clone")
    clone = Project(project.folder.parent / "clone")
    assert "up to date" in clone.run("dvc", "repro", "--dry", "--allow-missing")


SHIFTED = '''"""Raises the base model's logits of the new classes."""

from copy import deepcopy

from pipeline.core.labelled import Labelled
from pipeline.core.params import Positive, Section
from pipeline.new_class import results


class Shifted(Section):
    by: Positive


def main(shifted: Shifted) -> None:
    base = results.load_base()
    new = Labelled.load("data/split/new_train").new
    model = deepcopy(base)
    model.requires_grad_(False)
    model.head.output.bias.requires_grad_(True)
    model.head.output.bias.data[new] += shifted.by
    results.save("shifted", model, base)
'''


def test_a_method_that_is_added_and_taken_out_is_in_and_out_of_everything(project: Project) -> None:
    before = {
        path.relative_to(project.folder): path.read_bytes()
        for folder in ("metrics", "plots")
        for path in (project.folder / folder).rglob("*")
        if path.is_file()
    }
    (project.folder / "pipeline/methods/shifted.py").write_text(SHIFTED)
    entry = {
        "cmd": "python -m pipeline.core.run shifted",
        "deps": ["data/base", "data/split/new_train"],
        "params": ["shifted"],
        "outs": ["data/methods/shifted"],
    }
    compared = STAGES["evaluate"]["deps"]
    assert "section shifted is missing" in project.pipeline("check", code=2)
    project.set({"shifted": {"by": 2.0}, "methods": [*LISTED, "shifted"]})
    assert "has no stage shifted" in project.pipeline("check", code=2)
    project.edit("dvc.yaml", {"stages.shifted": entry})
    assert "evaluate must have data/methods/shifted" in project.pipeline("check", code=2)
    project.edit("dvc.yaml", {"stages.evaluate.deps": [*compared, "data/methods/shifted"]})
    project.pipeline("check")
    assert project.repro() == ["shifted", *AFTER]
    figures = project.json("metrics/new_class.json")
    assert figures["shifted"]["trainable_parameters"] == 10
    assert figures["shifted"]["original_data"] == "none"
    assert "shifted" in project.pipeline("results")
    assert (project.folder / "plots/new_class/predictions/shifted.csv").exists()
    project.commit()

    (project.folder / "pipeline/methods/shifted.py").unlink()
    assert "unknown key shifted" in project.pipeline("check", code=2)
    project.run("git", "checkout", "--quiet", "HEAD~", "--", "params.yaml")
    assert "evaluate needs data/methods/shifted" in project.pipeline("check", code=2)
    project.edit("dvc.yaml", {"stages.evaluate.deps": compared})
    assert "stage shifted is a method's" in project.pipeline("check", code=2)
    project.run("git", "checkout", "--quiet", "HEAD~", "--", "dvc.yaml")
    project.pipeline("check")
    assert set(project.repro()) <= set(AFTER)  # or DVC remembers what came out before
    after = {path: (project.folder / path).read_bytes() for path in before}
    assert after == before
    assert not (project.folder / "plots/new_class/predictions/shifted.csv").exists()
    project.commit()
    project.run("git", "clone", "--quiet", ".", "../clone")
    clone = Project(project.folder.parent / "clone")
    assert "up to date" in clone.run("dvc", "repro", "--dry", "--allow-missing")


def test_a_shorter_list_of_methods_narrows_the_tables(project: Project) -> None:
    listed = "methods=[lora,replay]"
    assert stages_run(project.run("dvc", "exp", "run", "-S", listed)) == AFTER
    assert set(project.json("metrics/new_class.json")) == {"base", "lora", "replay"}
    found = {path.stem for path in (project.folder / "plots/new_class/curves").iterdir()}
    assert found == {"base", "lora", "replay"}


def test_interrupted_stage_leaves_nothing_and_is_run_again(project: Project) -> None:
    project.set({"pretrain.epochs": 1000, "pretrain.patience": 1000})
    base = project.folder / "data/base"
    for file in base.iterdir():
        file.unlink()
    with subprocess.Popen(
        [sys.executable, "-c", WATCHED],
        cwd=project.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=hear_ctrl_c,
    ) as stage:
        try:
            assert stage.stdout is not None
            assert stage.stdout.readline() == "training\n"
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


WATCHED = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from pipeline.core import run
from pipeline.learning import training
fit = training.fit
def told(*arguments, **options):
    print("training", flush=True)
    return fit(*arguments, **options)
training.fit = told
sys.exit(run.main(["pretrain"]))
"""
"""The stage, which says when it begins to train."""


RESTORED = {f"pipeline/techniques/{name}.py" for name in ("adapters", "strength")}
"""What `restoring` imports where there is something that it saved."""
ADDED_BY = {
    "data/fisher/fisher.safetensors": "fisher",
    "data/statistics/gaussians.safetensors": "statistics/gaussians",
    "data/statistics/moments.safetensors": "statistics/slda",
    "data/statistics/sums.safetensors": "statistics/ridge",
    "data/statistics/validation": "statistics/gaussians",
}
"""What `handing` imports to add the classes of a step to what is kept."""


@pytest.mark.parametrize("name", sorted(STAGES))
def test_stage_declares_the_sections_and_code_it_reads(name: str) -> None:
    stage = STAGES[name]
    script = stages.find()[name]
    main = import_module(script.module).main
    assert stage["cmd"] == f"python -m pipeline.core.run {name}"
    read = [script.section(argument) for argument in inspect.signature(main).parameters]
    assert sorted(stage.get("params", [])) == sorted(read)
    code = {dependency for dependency in stage["deps"] if dependency.startswith("pipeline/")}
    needed = imported(ROOT / f"{script.module.replace('.', '/')}.py", set())
    needed |= imported(ROOT / "pipeline/core/run.py", set())
    if name == "evaluate":
        for technique in RESTORED:
            imported(ROOT / technique, needed)
    if name in stages.methods():
        for kept in ADDED_BY.keys() & set(stage["deps"]):
            imported(ROOT / f"pipeline/techniques/{ADDED_BY[kept]}.py", needed)
    folders = {each for each in code if not each.endswith(".py")}
    covered = {file for file in needed if any(Path(file).is_relative_to(each) for each in folders)}
    assert code - folders == needed - covered
    assert all(any(Path(file).is_relative_to(folder) for file in covered) for folder in folders)


def test_what_is_imported_where_it_is_needed_is_known_here() -> None:
    results = ROOT / "pipeline/new_class/results"
    added = {f"pipeline/techniques/{name}.py" for name in ADDED_BY.values()}
    for file, expected in (("restoring.py", RESTORED), ("handing.py", added)):
        late = {path.relative_to(ROOT).as_posix() for path in imports(results / file, late=True)}
        assert late == expected


def imported(file: Path, found: set[str]) -> set[str]:
    """The project's modules that a file imports, directly or not, and itself.

    What `new_class/results` imports in functions is left out: it depends on what a method keeps.
    """
    found.add(file.relative_to(ROOT).as_posix())
    late = not file.is_relative_to(ROOT / "pipeline/new_class/results")
    for path in imports(file) | (imports(file, late=True) if late else set()):
        if path.relative_to(ROOT).as_posix() not in found:
            imported(path, found)
    return found


def imports(file: Path, late: bool = False) -> set[Path]:
    """The project's modules that a file imports at its top, or late: in functions."""
    tree = ast.parse(file.read_text())
    top = {node for node in tree.body if isinstance(node, ast.ImportFrom)}
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    found = set()
    for node in nodes:
        if (node in top) == late or not (node.module or "").startswith("pipeline"):
            continue
        for name in node.names:
            places = [
                f"{node.module}.{name.name}".replace(".", "/"),
                str(node.module).replace(".", "/"),
            ]
            files = [ROOT / f"{place}{end}" for place in places for end in (".py", "/__init__.py")]
            path = next((path for path in files if path.is_file()), None)
            found |= {path} if path else set()
    return found


def test_scripts_sections_stages_and_list_of_methods_are_equal() -> None:
    content = yaml.safe_load((ROOT / "params.yaml").read_text())
    scripts = set(stages.methods())
    assert set(LISTED) == scripts
    assert scripts <= set(content)
    made = {name for name in STAGES if f"data/methods/{name}" in dag.outputs(STAGES[name])}
    assert made == scripts
    compared = {f"data/methods/{name}" for name in scripts}
    assert compared == {d for d in STAGES["evaluate"]["deps"] if d.startswith("data/methods/")}
    assert set(STAGES) == set(stages.find())


def test_old_data_and_test_data_are_read_only_where_they_may_be() -> None:
    def readers(part: str) -> set[str]:
        return {name for name, stage in STAGES.items() if part in stage["deps"]}

    old = readers("data/split/old_train") | readers("data/features/old_train")
    assert {"pretrain", "features", "statistics", "replay", "joint"} <= old
    assert not old & {"sequential", "lora", "evaluate", "plot"}
    assert readers("data/images/test") == {"evaluate"}
    assert readers("data/images/train") == {"split"}
    assert readers("data/ranks/images/test") == {"ranks_evaluate"}
    for part in ("source", "target", "unknown"):
        assert readers(f"data/shapes/images/{part}_test") == {"shapes_evaluate"}
    whole = {dep for stage in STAGES.values() for dep in stage["deps"]}
    assert not whole & {"data", "data/images", "data/split", "data/ranks", "data/shapes/images"}
