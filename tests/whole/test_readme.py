"""The table of faults names tests that there are."""

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
NAMED = re.findall(r"`(\S+\.py)::(test_\w+)`", (TESTS / "README.md").read_text())


@pytest.mark.parametrize(("file", "name"), NAMED, ids=str)
def test_named_test_exists(file: str, name: str) -> None:
    assert f"def {name}(" in (TESTS / file).read_text()


def test_many_faults_are_named() -> None:
    assert len(NAMED) > 20
