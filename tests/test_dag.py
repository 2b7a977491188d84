"""What dvc.yaml says of a method."""

from pathlib import Path

import pytest

from pipeline import dag
from pipeline.errors import InputError
from tests.project import ROOT


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("base", True),
        ("joint", True),
        ("replay", True),
        ("analytic", False),
        ("gaussian_replay", False),
        ("gaussian_lora", False),
        ("sequential", False),
        ("lora", False),
    ],
)
def test_original_data_is_what_a_stage_itself_depends_on(method: str, expected: bool) -> None:
    assert dag.uses_original_data(f"data/methods/{method}", ROOT / "dvc.yaml") is expected


def test_method_that_no_stage_makes_is_refused(tmp_path: Path) -> None:
    (tmp_path / "dvc.yaml").write_text("stages: {a: {cmd: x, outs: [b]}}")
    with pytest.raises(InputError, match="no stage has data/methods/c among its outs"):
        dag.uses_original_data("data/methods/c", tmp_path / "dvc.yaml")
