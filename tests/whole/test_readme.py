"""What texts show is there: the tests of the table of faults, and the code of a method."""

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
ROOT = TESTS.parent
NAMED = re.findall(r"`(\S+\.py)::(test_\w+)`", (TESTS / "README.md").read_text())


@pytest.mark.parametrize(("file", "name"), NAMED, ids=str)
def test_named_test_exists(file: str, name: str) -> None:
    assert f"def {name}(" in (TESTS / file).read_text()


def test_many_faults_are_named() -> None:
    assert len(NAMED) > 20


def test_method_that_is_shown_is_one_of_the_methods() -> None:
    [shown] = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    methods = [path.read_text() for path in (ROOT / "pipeline/methods").glob("*.py")]
    assert any(method.endswith(shown) for method in methods)
