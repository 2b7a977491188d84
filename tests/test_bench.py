"""The benchmark: originals of the published sizes, measures of what they say."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from bench import __main__ as bench
from bench import growth, ours, table, torch_originals, usage
from bench.timing import isolated
from pipeline import datasets, models
from pipeline.models import trainable_parameters
from tests.project import ROOT, Project


def test_wide_network_has_the_published_parameters() -> None:
    assert trainable_parameters(torch_originals.wide_network(None)) == 2_797_005
    for rank, published in {1: 6_789, 8: 54_312, 64: 434_496}.items():
        assert trainable_parameters(torch_originals.wide_network(rank)) == published


def test_shapes_network_has_the_published_parameters() -> None:
    assert trainable_parameters(torch_originals.shapes_network(frozen=False)) == pytest.approx(
        33.6e6, rel=1e-3
    )
    assert torch_originals.shapes_network(frozen=True)(torch.zeros(1, 3, 256, 256)).shape == (1, 2)


def test_an_epoch_reads_every_image_once(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    access = torch_originals.Digits.__getitem__

    def note(digits: torch_originals.Digits, index: int) -> tuple[torch.Tensor, int]:
        seen.append(index)
        return access(digits, index)

    monkeypatch.setattr(torch_originals.Digits, "__getitem__", note)
    images = np.zeros((70, 1, 28, 28), np.uint8)
    torch_originals.sweep_epoch(images, np.zeros(70, np.int64), rank=1)
    assert sorted(seen) == list(range(70))


def test_operations_of_dense_layers_are_three_products_each_but_the_images_gradient() -> None:
    first, *others = 784 * 1000, 1000 * 2000, 2000 * 5
    expected = 2 * (2 * first + 3 * sum(others))
    assert ours.operations(models.mlp((1, 28, 28), 5, dropout=0.0)) == expected


def test_a_share_of_the_data_is_its_first_images(finished: Project, tmp_path: Path) -> None:
    whole: dict[str, bytes] = {}
    for file in (finished.folder / "data/raw").iterdir():
        whole[file.name] = file.read_bytes()
        (tmp_path / file.name).write_bytes(whole[file.name])
        growth.shorten(tmp_path / file.name, 0.25)
    parts = {name: (tmp_path / name).read_bytes() for name in whole}
    for few, all_ in zip(datasets.parse(parts), datasets.parse(whole), strict=True):
        count = round(len(all_.labels) / 4)
        assert np.array_equal(few.labels, all_.labels[:count])
        assert np.array_equal(few.inputs, all_.inputs[:count])


def test_exponent_of_a_power() -> None:
    points = {str(size): {"seconds": 3 * size**0.7, "megabytes": 1.0} for size in (1, 8, 64)}
    assert growth.with_exponent(points)["exponent"] == pytest.approx(0.7)


def test_time_and_memory_of_the_stages_that_run(project: Project) -> None:
    run = usage.repro(project.folder, "--force", "--single-item", "shapes", "statistics")
    assert list(run.stages) == ["shapes", "statistics"]
    assert sum(stage["seconds"] for stage in run.stages.values()) < run.seconds
    assert 200 < run.stages["statistics"]["megabytes"] < 2000


def test_memory_is_that_of_the_process_that_runs() -> None:
    program = "import time; held = bytearray(b'1') * 300_000_000; time.sleep(1)"
    measured = isolated("bench.usage:used", [sys.executable, "-c", program], ROOT)
    assert 300 < measured.megabytes < 400
    assert measured.seconds > 1


def test_stages_without_tensors_load_no_torch() -> None:
    for stage, needed in {"download": "numpy", "shapes": "PIL", "plot": "matplotlib"}.items():
        command = [sys.executable, "-m", "bench.imports", stage]
        done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
        packages = done.stdout.split()
        assert needed in packages
        assert not {"torch", "sklearn", "optuna", "dvc"} & set(packages), stage


def test_the_tables_are_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(table, "write", lambda names: None)
    assert bench.main(["whole"]) == 0
    printed = capsys.readouterr().out
    for part in ("| rank sweep: base", "| with nothing to do", "| pretrain", "PyTorch"):
        assert part in printed
