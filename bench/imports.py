"""`python -m bench.imports STAGE` loads a stage and its settings, and does nothing.

It prints the packages that were loaded.
"""

import importlib
import sys
from typing import Any

from pipeline.core import params, process, stages


def settings(stage: str) -> dict[str, Any]:
    """The sections of params.yaml that a stage reads, by the names it has for them."""
    return params.arguments(importlib.import_module(stages.find()[stage].module).main)


def packages() -> list[str]:
    """The packages loaded by now, but for Python's own and the pipeline."""
    loaded = {name for name in sys.modules if "." not in name}
    known = {*sys.stdlib_module_names, "__main__", "bench", "pipeline"}
    return sorted(name for name in loaded - known if not name.startswith("_"))


if __name__ == "__main__":
    process.prepare()
    settings(sys.argv[1])
    print(*packages())
