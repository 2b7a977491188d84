"""What a process that runs stages, and nothing else, does before it loads PyTorch."""

import os
import sys
from types import ModuleType


def prepare() -> None:
    """Lets waiting threads leave their core to others, and leaves out PyTorch's compiler.

    Every optimiser loads the compiler, which takes 1.5 s, only to be exempt from it; no stage
    compiles anything.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    compiler = ModuleType("torch._dynamo")
    compiler.__dict__.update(disable=lambda function, *_, **__: function, graph_break=lambda: None)
    sys.modules.setdefault(compiler.__name__, compiler)
