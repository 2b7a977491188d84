"""`python -m pipeline NAME` runs a command, or a stage with its sections of params.yaml.

Commands live in their own rooms, and stages are run by `pipeline.core.run`, as dvc.yaml does, so
that another command here makes no stage run again.
"""

import importlib
import sys

from pipeline.core import run, stages

COMMANDS = {
    "check": "pipeline.app.check",
    "results": "pipeline.app.results",
    "choose": "pipeline.app.choose",
    "predict": "pipeline.app.predict",
    "serve": "pipeline.app.serve.command",
    "gate": "pipeline.app.gate",
    "export": "pipeline.app.export",
    "repro": "pipeline.studies.repro",
    "study": "pipeline.studies.study",
    "demo": "pipeline.studies.demo",
}
"""The commands, and the modules whose `main` takes the words that follow."""


def main(arguments: list[str]) -> int:
    """Runs what the command line names; returns the exit code."""
    name, *rest = arguments or [""]
    if name in COMMANDS:
        return run.guarded(name, lambda: importlib.import_module(COMMANDS[name]).main(rest))
    if name in stages.find():
        return run.main(arguments)
    accepted = f"{{{','.join(COMMANDS)}}}, or a stage: {{{','.join(stages.find())}}}"
    print(f"usage: python -m pipeline {accepted}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
