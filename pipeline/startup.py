"""What a process that runs stages, and nothing else, does before it loads PyTorch."""

import os
import sys
from types import ModuleType


def prepare() -> None:
    """Shortens the waiting of idle threads, and leaves out PyTorch's compiler.

    A thread with nothing to do spins for a moment before it gives its core away. A training alone
    is as fast so as with OpenMP's default, 100 times as long, where two side by side on the same
    cores take more than twice the time. Those are fastest with none, so who starts them sets
    `GOMP_SPINCOUNT=0`; with it, one alone takes two fifths longer.

    Every optimiser loads the compiler, which takes 1.5 s, only to be exempt from it; no stage
    compiles anything.
    """
    os.environ.setdefault("GOMP_SPINCOUNT", "3000")
    compiler = ModuleType("torch._dynamo")
    compiler.__dict__.update(disable=lambda function, *_, **__: function, graph_break=lambda: None)
    sys.modules.setdefault(compiler.__name__, compiler)
