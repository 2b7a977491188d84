"""`python -m pipeline NAME` runs a command, or a stage with its sections of params.yaml.

Commands live in their own rooms, and stages are run by `pipeline.core.run`, as dvc.yaml does, so
that another command here makes no stage run again.
"""

import ast
import importlib
import sys
from pathlib import Path

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


PLAIN = ("check", "results", "repro", "study", "demo")
"""Those that have no options, and no help of their own."""
HELP = ("--help", "-h")


def main(arguments: list[str]) -> int:
    """Runs what the command line names; returns the exit code."""
    name, *rest = arguments or [""]
    if name in HELP:
        print(*(about(command).partition("\n")[0] for command in COMMANDS), sep="\n")
        print(f"\nOr a stage: {', '.join(stages.find())}")
        return 0
    if name in PLAIN and {*rest} & {*HELP}:
        print(about(name))
        return 0
    if name in COMMANDS:
        return run.guarded(name, lambda: importlib.import_module(COMMANDS[name]).main(rest))
    if name in stages.find():
        return run.main(arguments)
    accepted = f"{{{','.join(COMMANDS)}}}, or a stage: {{{','.join(stages.find())}}}"
    print(f"usage: python -m pipeline {accepted}", file=sys.stderr)
    return 2


def about(command: str) -> str:
    """What a command's module says of it; reading it takes less time than loading it."""
    file = Path(__file__).parents[1].joinpath(*COMMANDS[command].split(".")).with_suffix(".py")
    return ast.get_docstring(ast.parse(file.read_text())) or ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
