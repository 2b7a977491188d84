"""Where the user's data are, in the repository and in the copies that DVC makes for experiments."""

from pathlib import Path

import pytest

from pipeline.core.errors import InputError
from pipeline.sources.places import existing


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository beside a folder `photos`."""
    (tmp_path / "photos").mkdir()
    (tmp_path / "repository/own").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "repository")
    return tmp_path / "repository"


@pytest.fixture
def copy(repository: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An experiment's copy of it."""
    folder = repository / ".dvc/tmp/exps/standalone/tmpabc"
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    return folder


def test_relative_and_whole_paths(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert existing("own") == Path("own")
    assert existing(str(repository.parent / "photos")).is_dir()
    assert capsys.readouterr().err == ""
    assert existing("../photos") == Path("../photos")
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert (
        "data.path is ../photos, which experiments in copies (--temp, --queue) won't find" in said
    )


def test_copy_for_an_experiment_has_other_neighbours(copy: Path) -> None:
    with pytest.raises(InputError, match=r"\.\./photos, which leads out of the repository.*whole"):
        existing("../photos")
    with pytest.raises(InputError, match=r"own, which this copy .* lacks, .*`dvc add` it, or"):
        existing("own")
    assert existing(str(copy.parents[5] / "photos")).is_dir()
    with pytest.raises(InputError, match="/nowhere: no such file or folder"):
        existing("/nowhere")
