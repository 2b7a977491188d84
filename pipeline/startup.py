"""What a process that runs stages, and nothing else, does before it loads PyTorch."""

import os
import sys
from types import ModuleType


def prepare() -> None:
    """Shortens the waiting of idle threads, and leaves out PyTorch's compiler.

    A thread with nothing to do spins for a moment before it gives its core away. With the default
    of OpenMP, 300 times as long, a training alone is an eighth faster, and two side by side on the
    same cores take more than three times as long; with none, one alone takes a quarter longer.

    Every optimiser loads the compiler, which takes 1.5 s, only to be exempt from it; no stage
    compiles anything.
    """
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")
    compiler = ModuleType("torch._dynamo")
    compiler.__dict__.update(disable=lambda function, *_, **__: function, graph_break=lambda: None)
    sys.modules.setdefault(compiler.__name__, compiler)
