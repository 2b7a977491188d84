"""Where and how the arithmetic runs."""

from pathlib import Path

import pytest
import torch

from pipeline.core.errors import InputError
from pipeline.learning.compute import Compute, half_precision


def test_missing_gpu_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(InputError, match=r"compute\.device is cuda, but PyTorch finds no GPU"):
        Compute(device="cuda", threads=1, reproducible=True).start()


def test_auto_takes_a_gpu_only_where_bits_need_not_repeat(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    for reproducible, device in ((False, "cuda"), (True, "cpu")):
        chosen = Compute(device="auto", threads=1, reproducible=reproducible).start()
        assert chosen.type == device


@pytest.mark.parametrize(
    ("maker", "able", "said"),
    [
        ("AuthenticAMD", {"avx2": True}, 0),
        ("AuthenticAMD", {"avx2": False}, 1),
        ("GenuineIntel", {"avx2": True}, 1),
        ("arm", {"neon": True}, 1),
    ],
)
def test_other_processors_than_that_of_the_results_compute_on_and_one_line_says_so(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    maker: str,
    able: dict[str, bool],
    said: int,
) -> None:
    monkeypatch.setenv("RETAIN_TOLD", "")
    monkeypatch.setattr(Path, "exists", lambda path: False)
    monkeypatch.setattr("platform.processor", lambda: f"Family 6, {maker}")
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: able)
    for _ in range(2):
        device = Compute(device="cpu", threads=2, reproducible=True).start()
    assert float(torch.ones(3, device=device).sum()) == 3
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == said
    assert all("may differ from those committed" in line for line in lines)


@pytest.mark.parametrize(("asked", "expected"), [(1, 1), (None, 2)])
def test_threads(asked: int | None, expected: int) -> None:
    Compute(device="cpu", threads=2, reproducible=True).start(asked)
    assert torch.get_num_threads() == expected


@pytest.mark.parametrize("able", [True, False])
def test_half_precision_is_for_a_gpu_that_can(able: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation=True: able)
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("medium")
    try:
        with half_precision(torch.device("cuda")):
            assert torch.is_autocast_enabled("cuda") == able
            assert torch.get_autocast_dtype("cuda") == torch.bfloat16 or not able
    finally:
        torch.set_float32_matmul_precision(before)
