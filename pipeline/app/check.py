"""`python -m pipeline check` validates the parameters of all stages, and runs none."""

import importlib
from pathlib import Path
from typing import Any

from pipeline.app import foresight
from pipeline.core import dag, params, stages
from pipeline.core.errors import InputError
from pipeline.core.labelled import closest
from pipeline.new_class import results


def main(arguments: list[str]) -> None:
    """Validates every stage's sections of params.yaml, and all that a stage would refuse later.

    Raises:
        InputError: naming the first key or file that is refused.
    """
    if arguments:
        raise InputError(f"found {arguments[0]}; nothing is accepted behind check")
    content = params.read()
    sections: dict[str, Any] = {}
    for stage in stages.find().values():
        entry = importlib.import_module(stage.module).main
        given = params.arguments(entry, content=content)
        sections |= {stage.section(name): value for name, value in given.items()}
    present = {name for name in content if name not in stages.QUESTIONS}
    for question in stages.QUESTIONS:
        present |= {f"{question}.{name}" for name in content[question]}
    if unread := sorted(present - set(sections)):
        raise InputError(f"params.yaml: section {unread[0]} is read by no stage")
    methods(content["methods"])
    foresight.check(sections)
    for line in foresight.left_out(sections):
        print(line)


def methods(listed: list[str]) -> None:
    """Holds the list of methods against their scripts, and both against dvc.yaml.

    Raises:
        InputError: naming what is missing, and where, or that dvc.yaml has another shape.
    """
    scripts = list(stages.methods())
    if unknown := [name for name in listed if name not in scripts]:
        raise InputError(
            f"params.yaml: methods has {unknown[0]}, but there is no pipeline/methods/"
            f"{unknown[0]}.py; {closest(unknown[0], scripts)}"
        )
    if twice := [name for name in listed if listed.count(name) > 1]:
        raise InputError(f"params.yaml: methods names {twice[0]} twice")
    declared = dag.stages()
    if "evaluate" not in declared:
        raise InputError("dvc.yaml: there is no stage evaluate")
    compared = dag.dependencies(declared["evaluate"])
    for name in {*scripts, *listed}:
        folder = str(results.METHODS / name)
        if name not in declared:
            raise InputError(f"dvc.yaml: pipeline/methods/{name}.py has no stage {name}")
        if folder not in dag.outputs(declared[name]):
            raise InputError(f"dvc.yaml: stage {name} must have {folder} among its outs")
        if folder not in compared:
            raise InputError(f"dvc.yaml: evaluate must have {folder} among its deps")
    for folder in compared:
        name = Path(folder).name
        if Path(folder).parent == results.METHODS and name not in scripts:
            raise InputError(f"dvc.yaml: evaluate needs {folder}, which no method makes")
    for name, stage in declared.items():
        if str(results.METHODS / name) in dag.outputs(stage) and name not in scripts:
            raise InputError(
                f"dvc.yaml: stage {name} is a method's, but there is no pipeline/methods/{name}.py"
            )
