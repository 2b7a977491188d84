"""`python -m pipeline STAGE` runs one stage with its sections of params.yaml.

`python -m pipeline check` validates the sections of every stage and runs none.
"""

import importlib
import sys

from pipeline import params, startup
from pipeline.errors import InputError


def main(arguments: list[str]) -> int:
    """Runs the stage named on the command line; returns the exit code."""
    accepted = [*params.stage_names(), "check"]
    if len(arguments) != 1 or arguments[0] not in accepted:
        print(f"usage: python -m pipeline {{{','.join(accepted)}}}", file=sys.stderr)
        return 2
    name = arguments[0]
    startup.prepare()
    try:
        if name == "check":
            check()
        else:
            stage = importlib.import_module(f"pipeline.stages.{name}")
            stage.main(**params.arguments(stage.main))
    except InputError as error:
        print(f"{name}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"{name}: interrupted", file=sys.stderr)
        return 130
    return 0


def check() -> None:
    """Validates every stage's sections of params.yaml.

    Raises:
        InputError: naming the first key that is refused.
    """
    for name in params.stage_names():
        params.arguments(importlib.import_module(f"pipeline.stages.{name}").main)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
