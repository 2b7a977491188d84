"""What dvc.yaml itself tells about a method."""

from pathlib import Path

import yaml

from pipeline import artifacts
from pipeline.errors import InputError


def uses_original_data(output: Path | str, dag: Path | str = "dvc.yaml") -> bool:
    """Whether the stage that makes an output depends on training data of the old classes.

    A stage asks this of its own entry alone, whose change reruns it.

    Raises:
        InputError: if no stage of the file makes that output.
    """
    stages = yaml.safe_load(artifacts.load_bytes(dag))["stages"]
    for stage in stages.values():
        if Path(output).as_posix() in map(str, stage.get("outs", [])):
            return any("old_train" in str(dependency) for dependency in stage["deps"])
    raise InputError(f"{dag}: no stage has {output} among its outs")
