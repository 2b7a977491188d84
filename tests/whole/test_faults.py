"""Whatever params.yaml and artifacts hold, the answer is a result or one line."""

import contextlib
import io
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.__main__ import main
from pipeline.core import artifacts
from pipeline.core.errors import InputError
from pipeline.core.labelled import Labelled
from tests.project import ROOT, copy_sources

TEXT = (ROOT / "params.yaml").read_text()
CONTENT = yaml.safe_load(TEXT)
QUICKLY = settings(
    deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
"""The same cases in every run."""


def paths(content: Any, prefix: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The places of all values of nested mappings and lists."""
    inner = content.items() if isinstance(content, dict) else enumerate(content)
    for key, value in inner:
        yield (*prefix, key)
        if isinstance(value, dict | list):
            yield from paths(value, (*prefix, key))


PATHS = sorted(paths(CONTENT), key=str)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(["auto", "mnist", "adam", "base", "../..", "~", "1e-3", "\ud800"]),
    st.dates(),
    st.binary(max_size=4),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=5,
)


def changed(path: tuple[Any, ...], value: Any, remove: bool) -> Any:
    """The content with another value at a place, or without it."""
    content = json.loads(json.dumps(CONTENT))
    parent = content
    for key in path[:-1]:
        parent = parent[key]
    if remove:
        del parent[path[-1]]
    else:
        parent[path[-1]] = value
    return content


def answer(*arguments: str) -> tuple[int, str]:
    """The exit code and what is said of a command in this process."""
    said = io.StringIO()
    with contextlib.redirect_stderr(said):
        return main(list(arguments)), said.getvalue()


def one_line_or_none(code: int, said: str) -> None:
    assert code in (0, 2)
    assert said == "" if code == 0 else said.startswith("check: ")
    assert said.count("\n") == (code == 2)


@pytest.mark.slow
@given(path=st.sampled_from(PATHS), value=VALUES, remove=st.integers(0, 4).map(lambda n: n == 0))
@settings(QUICKLY, max_examples=700)
def test_any_value_in_place_of_another(
    sources: Path, path: tuple[Any, ...], value: Any, remove: bool
) -> None:
    text = yaml.safe_dump(changed(path, value, remove), allow_unicode=False)
    (sources / "params.yaml").write_text(text)
    one_line_or_none(*answer("check"))


@pytest.mark.slow
@given(place=st.integers(0, len(TEXT)), cut=st.integers(0, 40), put=st.binary(max_size=12))
@settings(QUICKLY, max_examples=400)
def test_any_bytes_in_place_of_others(sources: Path, place: int, cut: int, put: bytes) -> None:
    content = TEXT.encode()
    (sources / "params.yaml").write_bytes(content[:place] + put + content[place + cut :])
    one_line_or_none(*answer("check"))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "latin-1", "utf-8-sig"])
def test_other_encodings(sources: Path, encoding: str) -> None:
    (sources / "params.yaml").write_bytes(TEXT.replace("√", "x").encode(encoding, "replace"))
    one_line_or_none(*answer("check"))


@given(damage=st.data())
@settings(QUICKLY, max_examples=300)
def test_any_damage_of_tensors(tmp_path: Path, damage: st.DataObject) -> None:
    path = tmp_path / "x.safetensors"
    arrays: dict[str, npt.NDArray[Any]] = {"a": np.arange(9.0), "b": np.ones((2, 3), np.int64)}
    artifacts.save_tensors(path, arrays, {"kind": "test"})
    damaged(path, damage)
    with contextlib.suppress(InputError):
        artifacts.load_tensors(path, "test")


@given(name=st.sampled_from(["inputs.npy", "labels.npy", "about.json"]), damage=st.data())
@settings(QUICKLY, max_examples=300)
def test_any_damage_of_labelled_inputs(tmp_path: Path, name: str, damage: st.DataObject) -> None:
    images = Labelled(np.zeros((3, 1, 4, 4), np.uint8), np.array([0, 1, 1]), ["a", "b"], [1])
    images.save(tmp_path)
    damaged(tmp_path / name, damage)
    with contextlib.suppress(InputError):
        loaded = Labelled.load(tmp_path)
        assert len(loaded.inputs) == len(loaded.labels)
        assert set(loaded.labels.tolist()) <= set(range(len(loaded.classes)))


def damaged(path: Path, damage: st.DataObject) -> None:
    """Cuts a file short, changes some bytes, or puts some in."""
    content = path.read_bytes()
    place = damage.draw(st.integers(0, len(content)))
    cut = damage.draw(st.one_of(st.just(len(content)), st.integers(0, 30)))
    put = damage.draw(st.binary(max_size=20))
    path.write_bytes(content[:place] + put + content[place + cut :])


PROCESSES = [
    {"pretrain": {"learning_rate": 1e30}}, {"split": None}, {"seed": "x"}, {"compute": []},
    {"split": {"validation": 0.99999}}, {"split": {"validation": 1e-6}}, {"lora": {"rank": 10**9}},
    {"data": {"source": "folder"}}, {"data": {"source": "table"}}, {"data": {"path": "~/x"}},
]  # fmt: skip


@pytest.fixture(scope="module")
def split(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with its images, parted."""
    folder = tmp_path_factory.mktemp("faults") / "project"
    folder.mkdir()
    copy_sources(folder)
    content = json.loads(json.dumps(CONTENT))
    content["data"]["source"] = content["ranks"]["images"]["source"] = "digits"
    content["shapes"]["draw"]["images"] = {"train": 2, "validation": 1, "test": 1}
    (folder / "params.yaml").write_text(yaml.safe_dump(content))
    for stage in ("download", "weights", "split"):
        assert stage_in(folder, stage).returncode == 0
    return folder


def stage_in(folder: Path, stage: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "pipeline.core.run", stage]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.slow
@pytest.mark.parametrize("stage", ["download", "split", "ranks_images", "shapes_draw", "pretrain"])
@pytest.mark.parametrize("change", PROCESSES, ids=str)
def test_real_processes_end_with_a_result_or_one_line(
    split: Path, tmp_path: Path, change: dict[str, Any], stage: str
) -> None:
    shutil.copytree(split, tmp_path / "project")
    folder = tmp_path / "project"
    content = yaml.safe_load((folder / "params.yaml").read_text())
    content["pretrain"] |= {"epochs": 1, "least_steps": 0}
    for name, value in change.items():
        content[name] = content[name] | value if isinstance(value, dict) else value
    (folder / "params.yaml").write_text(yaml.safe_dump(content))
    before = {path for path in folder.rglob("*") if "__pycache__" not in path.parts}
    done = stage_in(folder, stage)
    assert done.returncode in (0, 2)
    if done.returncode == 2:
        assert done.stderr.splitlines()[-1].startswith(f"{stage}: ")
        assert "Traceback" not in done.stderr
        after = {path for path in folder.rglob("*") if "__pycache__" not in path.parts}
        assert {path for path in after - before if path.is_file()} == set()
