"""Where and how the arithmetic runs, so that equal runs give equal bytes."""

import os
import platform
import sys
from pathlib import Path
from typing import Literal

import torch
from pydantic import Field

from pipeline.core.errors import InputError
from pipeline.core.params import Section

INSTRUCTIONS = {
    "ATEN_CPU_CAPABILITY": "avx2",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "MKL_CBWR": "AVX2",
    "CUBLAS_WORKSPACE_CONFIG": ":4096:8",
}
COMMITTED = "an AMD processor with AVX2"
"""Of what the committed results are; see `as_committed`."""


class Compute(Section):
    """The shared section `compute`.

    `reproducible` fixes the instruction set and the order of every sum, at a cost in speed; without
    it, all instructions of the processor are used, half-precision products where it has them, and
    `device: auto` takes a GPU where there is one.
    """

    device: Literal["auto", "cpu", "cuda"]
    threads: int = Field(ge=1, le=256)
    reproducible: bool

    def start(self, threads: int | None = None) -> torch.device:
        """Sets this process up, and says where its tensors belong.

        Args:
            threads: other than the section's; 1 where the steps are too small to be shared out.

        To be called before any tensor is computed: PyTorch, oneDNN and MKL read their environment
        when they are first used. Processes started later inherit it. Any processor computes as
        deterministically as it can; one that is not `as_committed` has a line say so.

        Raises:
            InputError: if a GPU is asked for and there is none.
        """
        if self.reproducible:
            torch.set_float32_matmul_precision("highest")
            os.environ.update(INSTRUCTIONS)
            torch.set_deterministic_debug_mode("error")
            torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
            if not as_committed() and not os.environ.get("RETAIN_TOLD"):
                os.environ["RETAIN_TOLD"] = "1"  # once, and by no worker again
                print(
                    "equal runs give equal bytes on this processor, which may differ from those "
                    f"committed, of {COMMITTED}",
                    file=sys.stderr,
                )
            torch.set_num_threads(threads or self.threads)
        else:
            torch.set_float32_matmul_precision("medium")
            if threads:
                torch.set_num_threads(threads)
        return self.device_of()

    def device_of(self) -> torch.device:
        """Where tensors belong.

        Raises:
            InputError: if a GPU is asked for and there is none.
        """
        if self.device == "cuda" and not torch.cuda.is_available():
            raise InputError("params.yaml: compute.device is cuda, but PyTorch finds no GPU")
        if self.device == "auto":
            gpu = not self.reproducible and torch.cuda.is_available()
            return torch.device("cuda" if gpu else "cpu")
        return torch.device(self.device)


def as_committed() -> bool:
    """Whether the bytes of reproducible runs are those of the committed results here.

    MKL takes other ways on processors of other makers, with the same instructions too: products
    with few columns, and what LAPACK does, are rounded otherwise. (What would be equal everywhere,
    its `COMPATIBLE` mode, takes 2.8 times as long.)
    """
    known = Path("/proc/cpuinfo")  # Linux; platform tells it elsewhere
    told = known.read_text() if known.exists() else platform.processor()
    return "AuthenticAMD" in told and bool(torch.cpu.get_capabilities().get("avx2"))


def half_precision(device: torch.device) -> torch.autocast:
    """A context for a training step, in which products may be of bfloat16.

    They are where `Compute.start` has allowed it and the device has instructions for them. Weights
    are cast once in a context, so that it must not outlast a step.
    """
    if device.type == "cuda":
        able = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        processor = torch.cpu.get_capabilities()
        able = any(processor.get(name) for name in ("avx512_bf16", "amx_bf16"))
    allowed = torch.get_float32_matmul_precision() == "medium"
    return torch.autocast(device.type, torch.bfloat16, enabled=able and allowed)
