"""`python -m pipeline.core.run STAGE` runs one stage with its sections of params.yaml."""

import importlib
import os
import signal
import sys
from collections.abc import Callable

from pipeline.core import params, process, stages
from pipeline.core.errors import InputError


def main(arguments: list[str]) -> int:
    """Runs the stage that the command line names; returns the exit code."""
    names = stages.find()
    if len(arguments) != 1 or arguments[0] not in names:
        print(f"usage: python -m pipeline.core.run {{{','.join(names)}}}", file=sys.stderr)
        return 2
    [name] = arguments

    def stage() -> None:
        main = importlib.import_module(names[name].module).main
        main(**params.arguments(main))

    return guarded(name, stage)


def guarded(name: str, work: Callable[[], int | None]) -> int:
    """Does some work, and says in one line what went wrong; returns the exit code."""
    process.prepare()
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) == signal.SIG_DFL:  # not where it is to be ignored
            signal.signal(number, signal.default_int_handler)
    try:
        return work() or 0
    except InputError as error:
        print(f"{name}: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # whoever read the output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:  # a full disk, a name that is too long
        if error.filename is None:
            raise
        print(f"{name}: {error.filename}: {error.strerror}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"{name}: interrupted", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
