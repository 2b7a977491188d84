"""Equal runs give equal bytes, whatever the environment."""

import hashlib
import os
import shutil
import sys
from pathlib import Path

import pytest

from pipeline.core import dag
from tests.project import ROOT, Project

STAGES = dag.stages(ROOT)
pytestmark = pytest.mark.slow
HOSTILE = {
    "ATEN_CPU_CAPABILITY": "default",
    "GOMP_SPINCOUNT": "0",
    "LC_ALL": "C",
    "MKL_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "ONEDNN_MAX_CPU_ISA": "SSE41",
    "PYTHONHASHSEED": "7",
    "RETAIN_WORKERS": "3",
    "TZ": "Asia/Kathmandu",
}


@pytest.fixture(scope="module")
def elsewhere(finished: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A copy of the finished project in a folder with a difficult name."""
    folder = tmp_path_factory.mktemp("elsewhere") / "a päth, with spaces"
    shutil.copytree(finished.folder, folder, symlinks=True)
    return Project(folder)


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="cores can't be chosen here")
@pytest.mark.parametrize(
    "stage", ["pretrain", "lora", "analytic", "gaussian_lora", "shapes_both", "ranks_sweep"]
)
def test_one_core_and_another_environment_change_nothing(
    stage: str, finished: Project, elsewhere: Project
) -> None:
    core = str(min(os.sched_getaffinity(0)))
    outputs = [Path(out) for out in dag.outputs(STAGES[stage])]
    for out in outputs:
        shutil.rmtree(elsewhere.folder / out)
    command = ("taskset", "--cpu-list", core, sys.executable, "-m", "pipeline", stage)
    elsewhere.run(*command, environment=HOSTILE)
    for out in outputs:
        assert digests(elsewhere.folder / out) == digests(finished.folder / out)


def test_own_settings_of_matplotlib_change_no_picture(
    finished: Project, elsewhere: Project
) -> None:
    (elsewhere.folder / "matplotlibrc").write_text("figure.facecolor: red\nfont.size: 20\n")
    for picture in (elsewhere.folder / "plots").rglob("*.png"):
        picture.unlink()
    for stage in ("plot", "ranks_plot", "shapes_plot"):
        elsewhere.pipeline(stage)
    assert digests(elsewhere.folder / "plots") == digests(finished.folder / "plots")


def digests(folder: Path) -> dict[str, str]:
    """The files of a folder and the hashes of their content."""
    return {
        file.relative_to(folder).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }
