"""`python -m pipeline results` prints what the last run came to.

With files, it fills in the means of the replicates between `<!-- NAME -->` and `<!-- end NAME -->`.
"""

import json
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pipeline.app import choose
from pipeline.core import artifacts, dag, params, stages
from pipeline.core.errors import InputError
from pipeline.new_class import choice, claims, held_against
from pipeline.new_class import report as new_class
from pipeline.ranks import report as ranks
from pipeline.scoring.tables import Results, Table, fill, markdown
from pipeline.shapes import report as shapes

QUESTIONS: Mapping[str, Mapping[str, Callable[[Results, Results], Table]]] = {
    "new_class": {"methods": new_class.methods, "steps": new_class.steps},
    "ranks": {"ranks": ranks.ranks},
    "shapes": {
        "transfer": shapes.transfer,
        "unknown": shapes.unknown,
        "rejected": shapes.rejected,
    },
}
"""The tables of each question, by their names in the texts that show them; some may be empty."""

DATA: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "new_class": lambda run_with: (
        f"{run_with['data']['source']}, new: {listed(run_with['split']['new_classes'])}"
    ),
    "ranks": lambda run_with: str(run_with["ranks.images"]["source"]),
    "shapes": lambda run_with: "drawn, {size}×{size} pixels".format(**run_with["shapes.draw"]),
}
"""The data of each question, from the parameters that its stages were run with."""

STUDIES: Mapping[str, Mapping[str, Callable[[Results], Table]]] = {
    "elsewhere": {"elsewhere": new_class.elsewhere},
    "steps": {"steps": new_class.steps_of},
    "few": {"few": held_against.table},
    "any_class": {
        "any class": held_against.over_cases,
        "few pictures": held_against.few_pictures,
        "ranking": held_against.agreement,
    },
    "several": {"several classes": held_against.table},
    "budgets": {"budgets": held_against.budgets},
    "claims": {"claims": claims.table},
    "search": {"search": held_against.by_case},
    "validation": {"validation": held_against.by_case},
    "trunk": {"trunk": new_class.few_images, "trunk epochs": new_class.few_epochs},
}
"""The tables of each study, by their names in the texts that show them."""

REPLICATES = Path("metrics/studies/replicates.json")


def main(files: list[str]) -> None:
    """Prints the tables of the last run, or fills those of the replicates in files.

    Raises:
        InputError: if there are no results, or a file holds no text in UTF-8.
    """
    if files:
        parts = replicated()
        for file in files:
            artifacts.save_bytes(file, fill(_text(file), parts).encode())
        return
    shown = [last(question) for question in QUESTIONS if _metrics(question).exists()]
    if not shown:
        raise InputError("no results yet: `make repro` makes them")
    print("\n\n".join(shown))
    if found := commit():
        print(f"\nAt commit {found}. Pictures: plots/*/pictures; tables: plots/*/tables.")
        print("`dvc plots show` makes an interactive page of curves and confusion matrices")
        print("(with a library from the network); `python -m pipeline serve` works without.")


def _text(file: str) -> str:
    try:
        return artifacts.load_bytes(file).decode()
    except UnicodeDecodeError as error:
        raise InputError(
            f"{file}: byte {error.start + 1} is not of a text in UTF-8, which is accepted"
        ) from None


def listed(new_classes: list[Any]) -> str:
    """The new classes; those of several steps with their order."""
    steps = [each if isinstance(each, list) else [each] for each in new_classes]
    several = any(isinstance(each, list) for each in new_classes)
    return (", then " if several else ", ").join(", ".join(map(str, step)) for step in steps)


def replicated() -> dict[str, str]:
    """The tables of the studies, in Markdown, by their names."""
    tables = {name: table for question in QUESTIONS for name, table in of_seeds(question).items()}
    tables["best methods"] = new_class.best(*means_and_facts("new_class"))
    if choice.STUDY.exists():
        tables["choose"] = choose.example()
    for study, its_tables in STUDIES.items():
        if (path := REPLICATES.with_name(f"{study}.json")).exists():
            content = artifacts.load_json(path)
            tables |= {name: table(content) for name, table in its_tables.items()}
    return {name: markdown(table) for name, table in tables.items()}


def of_seeds(question: str) -> dict[str, Table]:
    """The tables of a question's replicates, by their names."""
    found = means_and_facts(question)
    tables = {name: table(*found) for name, table in QUESTIONS[question].items()}
    return {name: table for name, table in tables.items() if table}


def means_and_facts(question: str) -> tuple[Results, Results]:
    """The means of a question's replicates, and the metrics of one of them."""
    study = artifacts.load_json(REPLICATES)
    facts = next(iter(study["cells"].values()))["metrics"][question]
    return study["summary"]["default"][question], facts


def alike(question: str) -> bool:
    """Whether the replicates are of the images that a question's last run was of."""
    if not REPLICATES.exists():
        return True
    folder = "data/images/" if question == "new_class" else f"data/{question}/images/"
    stages = dag.locked().values()
    run = {out["path"]: out["md5"] for stage in stages for out in stage.get("outs", [])}
    first = next(iter(artifacts.load_json(REPLICATES)["cells"].values()))["data"]
    return all(run.get(name) == md5 for name, md5 in first.items() if name.startswith(folder))


def of_last(question: str) -> list[Table]:
    """The tables of a question's last run; none if there was none."""
    if not _metrics(question).exists():
        return []
    found = artifacts.load_json(_metrics(question))
    # What was published is of MNIST, and of the published settings.
    tables = (table(found, found) for table in QUESTIONS[question].values())
    return [_without_published(table) for table in tables if table]


def last(question: str) -> str:
    """The tables of a question's last run, with the data that they belong to."""
    heading = f"{question.replace('_', ' ')} ({described(question)})"
    return "\n\n".join([heading, *map(markdown, of_last(question))])


def described(question: str) -> str:
    """The data that a question's results are of, as dvc.lock tells, and whether they are of now."""
    locked = dag.locked()
    own = "" if question == "new_class" else question
    names = [name for name, stage in stages.find().items() if stage.question == own]
    run = {name: locked[name] for name in names if name in locked}
    makers = {
        out["path"]: (name, out["md5"]) for name, stage in run.items() for out in stage["outs"]
    }
    if str(_metrics(question)) not in makers:
        return "of a run that dvc.lock does not tell of"
    for stage in run.values():
        needed = stage.get("deps", [])
        if any(dependency["path"] == str(_metrics(question)) for dependency in needed):
            continue  # it draws pictures of them, now or later
        for dependency in needed:
            name, md5 = makers.get(dependency["path"], ("", dependency["md5"]))
            if md5 != dependency["md5"]:
                return f"of an earlier run: {name} has made other data since"
    run_with: dict[str, Any] = {}
    for stage in run.values():
        run_with |= stage.get("params", {}).get(params.PARAMS.name, {})
    now = params.read()
    changed = [key for key, value in run_with.items() if _now(now, key) != value]
    late = f"; older than params.yaml, where {changed[0]} has changed" if changed else ""
    return DATA[question](run_with) + late


def _now(content: Mapping[str, Any], key: str) -> Any:
    value: Any = content
    for part in key.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return json.loads(json.dumps(value))


def _metrics(question: str) -> Path:
    return Path(f"metrics/{question}.json")


def _without_published(table: Table) -> Table:
    """A table without its last column if that has published figures."""
    return [row[:-1] for row in table] if table[0][-1].startswith("published") else table


def commit() -> str:
    """The commit that is checked out; empty in a copy without git."""
    command = ["git", "describe", "--always", "--dirty"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip()
