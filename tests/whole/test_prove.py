"""`make prove`, on the bundled digits."""

import pytest

from tests import prove
from tests.project import Project


@pytest.mark.slow
def test_stages_side_by_side_in_another_environment_change_nothing(finished: Project) -> None:
    assert prove.run(prove.CASES["elsewhere"], finished.folder) == ""


def test_results_that_differ_are_named(finished: Project) -> None:
    without_pictures = prove.Case(steps=[[["remove", "plot"]]])
    assert prove.run(without_pictures, finished.folder) == "M dvc.lock"
