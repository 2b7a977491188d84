"""`python -m bench.imports STAGE` loads a stage and its settings, and does nothing.

It prints the packages that were loaded.
"""

import importlib
import sys

from pipeline import params, startup


def packages() -> list[str]:
    """The packages loaded by now, but for Python's own and the pipeline."""
    loaded = {name for name in sys.modules if "." not in name}
    known = {*sys.stdlib_module_names, "__main__", "bench", "pipeline"}
    return sorted(name for name in loaded - known if not name.startswith("_"))


if __name__ == "__main__":
    startup.prepare()
    params.arguments(importlib.import_module(f"pipeline.stages.{sys.argv[1]}").main)
    print(*packages())
