"""Names for people."""

import pytest

from pipeline.scoring.names import title


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("base", "base (before)"),
        ("full", "all weights"),
        ("rank_16", "LoRA, rank 16"),
        ("gaussian_lora", "Gaussian LoRA"),
        ("fine_tuned", "fine tuned"),
        ("icarl", "iCaRL"),
        ("my_own_lora", "my own LoRA"),
    ],
)
def test_title(name: str, expected: str) -> None:
    assert title(name) == expected
