"""The benchmark: originals of the published sizes, measures of what they say."""

import json
import re
import shutil
import signal
import subprocess
import sys
import time
from cProfile import Profile
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import torch

from bench import __main__ as bench
from bench import beside, growth, measurements, ours, profiles, tables, torch_originals, usage
from bench.copies import clone
from bench.timing import isolated
from pipeline.core import stages
from pipeline.core.labelled import Labelled
from pipeline.learning import networks
from pipeline.learning.models import trainable_parameters
from pipeline.scoring import style
from pipeline.scoring.names import title
from pipeline.scoring.tables import fill

ROOT = Path(__file__).parents[1]
BENCH: dict[str, Any] = json.loads((ROOT / tables.RESULTS).read_text())


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
    assert ours.operations(networks.mlp((1, 28, 28), 5, dropout=0.0)) == expected


def test_settings_that_a_row_changes_are_there(tmp_path: Path) -> None:
    (tmp_path / "params.yaml").write_bytes((ROOT / "params.yaml").read_bytes())
    for changes in (beside.SWEEP_ONCE, beside.TRANSFER_ALONE):
        assert ours.stages(tmp_path, [], changes, reproducible=True) == 0
    assert "published: null" in (tmp_path / "params.yaml").read_text()


def test_what_a_timed_stage_reads_is_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    subprocess.run(["git", "init", "--quiet"], check=True)
    for name in ("dvc.yaml", ".gitignore"):
        shutil.copy(ROOT / name, name)
    folders = ["base", "features/new_train", "features/new_validation", "statistics/validation"]
    for name in folders:
        Path("data", name).mkdir(parents=True)
        Path("data", name, "content").write_text(name)
    copy = ours.copy(tmp_path / "copy", ["sequential"])
    files = sorted(path for path in (copy / "data").rglob("*") if path.is_file())
    assert files == [copy / "data" / name / "content" for name in folders]
    assert (copy / "dvc.yaml").exists()


def test_a_share_of_the_data_is_its_first_images(tmp_path: Path) -> None:
    pixels = np.arange(8 * 4, dtype=np.uint8).reshape(8, 1, 2, 2)
    labels = np.arange(8, dtype=np.int64) % 2
    Labelled(pixels, labels, ["0", "1"], [1]).save(tmp_path)
    growth.shorten(tmp_path, 0.25)
    few = Labelled.load(tmp_path)
    assert np.array_equal(few.inputs, pixels[:2])
    assert np.array_equal(few.labels, labels[:2])
    assert (few.classes, few.new) == (["0", "1"], [1])


def test_exponent_of_a_power() -> None:
    points = {str(size): {"seconds": 3 * size**0.7, "megabytes": 1.0} for size in (1, 8, 64)}
    assert growth.with_exponent(points)["exponent"] == pytest.approx(0.7)


def test_time_and_memory_of_the_stages_that_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=":")
    subprocess.run(["dvc", "init", "--quiet", "--no-scm"], cwd=tmp_path, check=True)
    (tmp_path / "hold.py").write_text(
        "import sys, time; held = bytearray(b'1') * int(sys.argv[1]); time.sleep(1)\n"
        "open(sys.argv[2], 'w').write('done')\n"
    )
    (tmp_path / "dvc.yaml").write_text(
        "stages:\n"
        "  few: {cmd: python hold.py 1000000 a, outs: [a]}\n"
        "  many: {cmd: python hold.py 300000000 b, deps: [a], outs: [b]}\n"
    )
    run = usage.repro(tmp_path)
    assert list(run.stages) == ["few", "many"]
    assert 2 < sum(stage["seconds"] for stage in run.stages.values()) < run.seconds
    # DVC's own process is counted too.
    more = run.stages["many"]["megabytes"] - run.stages["few"]["megabytes"]
    assert 250 < more < 400


def test_memory_is_that_of_the_process_that_runs() -> None:
    program = "import time; held = bytearray(b'1') * 300_000_000; time.sleep(1)"
    measured = isolated("bench.usage:used", [sys.executable, "-c", program], ROOT)
    assert 300 < measured.megabytes < 400
    assert measured.seconds > 1


def test_time_in_a_function_is_told_apart_by_its_callers() -> None:
    def waits() -> None:
        time.sleep(0.05)

    def outer() -> None:
        waits()
        waits()

    def work() -> None:
        outer()
        waits()

    profiled = Profile(builtins=False)
    profiled.runcall(work)
    whole = profiles.spent(profiled, waits)
    assert whole >= 0.15
    assert 0.1 <= profiles.spent(profiled, waits, outer) < whole - 0.04
    assert profiles.spent(profiled, waits, outer, work) == pytest.approx(whole)
    assert profiles.spent(profiled, outer, waits) == 0


def test_a_clone_is_what_is_committed_and_gone_in_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".dvc").mkdir()
    (tmp_path / "file").write_text("committed")
    author = ("-c", "user.name=Test", "-c", "user.email=test@example.org")
    for command in (("init",), ("add", "file"), (*author, "commit", "--message", "one")):
        subprocess.run(["git", *command], check=True, capture_output=True)
    assert len(measurements.commit()) >= 7
    (tmp_path / "file").write_text("changed")
    with clone() as project:
        assert (project / "file").read_text() == "committed"
        assert tmp_path / ".dvc" in (folder / ".dvc" for folder in project.parents)
    assert not any((tmp_path / ".dvc/tmp").iterdir())


@pytest.mark.parametrize(
    ("stage", "needed"),
    {"download": "numpy", "shapes_draw": "PIL", "plot": "matplotlib"}.items(),
)
def test_stages_without_tensors_load_no_torch(stage: str, needed: str) -> None:
    command = [sys.executable, "-m", "bench.imports", stage]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    packages = done.stdout.split()
    assert needed in packages
    assert not {"torch", "sklearn", "optuna", "dvc"} & set(packages)


def test_the_tables_are_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(measurements, "write", lambda names: None)
    assert bench.main(["whole"]) == 0
    printed = capsys.readouterr().out
    for part in ("| rank sweep: base", "| with nothing to do", "| pretrain", "PyTorch"):
        assert part in printed


def test_an_unknown_name_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert bench.main(["hole"]) == 2
    assert "'hole'" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_with_one_line_and_all_that_it_has_started(number: signal.Signals) -> None:
    command = [sys.executable, "-m", "bench", "photographs"]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        try:
            own = psutil.Process(process.pid)
            while len(started := own.children(recursive=True)) < 2:  # it draws, in processes
                time.sleep(0.05)
            process.send_signal(number)
            told = process.communicate(timeout=20)[1]
        finally:
            process.kill()
    assert process.returncode == 130
    assert told.splitlines()[-1] == "bench: interrupted"
    assert "Traceback" not in told
    assert not psutil.wait_procs(started, timeout=2)[1]


def test_the_readme_says_what_was_measured() -> None:
    text = (ROOT / bench.README).read_text()
    parts = tables.parts(BENCH)
    assert fill(text, parts) == text, "`python -m bench readme` brings it up to date"
    for name in parts:
        assert f"<!-- {name} -->" in text


def test_the_project_s_readme_has_the_minutes_that_were_measured() -> None:
    told = re.search(r"pipeline took (\d+) minutes", (ROOT / "README.md").read_text())
    assert told
    assert int(told[1]) == round(BENCH["whole"]["seconds"] / 60)


@pytest.mark.parametrize(("last", "rows"), [(128.0, 2), (100.0, 0), (None, 0)])
def test_all_of_it_is_of_machines_that_are_alike(last: float | None, rows: int) -> None:
    measured = {
        name: part | {"machine": part["machine"] | {"gigaflops": 120.0}}
        for name, part in BENCH.items()
    }
    measured["whole"]["machine"]["gigaflops"] = last
    parts = [name for name in tables.BESIDE if name in BENCH]
    assert len(tables.speed(measured)) == 1 + 3 * len(parts) + rows


def test_times_are_of_stages_that_there_are() -> None:
    known = set(stages.find())
    assert set(BENCH["whole"]["stages"]) <= known
    assert set(BENCH["whole"]["imports"]) <= known
    assert set(BENCH["growth"]["data"]) <= known


def test_growth_is_shown_beside_each_stage() -> None:
    usages = BENCH["whole"]["stages"]

    def grown(sizes: tuple[float, ...], usage: dict[str, float]) -> dict[str, Any]:
        points = {
            str(size): usage | {"seconds": usage["seconds"] * (size / sizes[-1]) ** 0.5}
            for size in sizes
        }
        return growth.with_exponent(points)

    data = {
        name: grown((*growth.SHARES, 1.0), usage)
        for name, usage in usages.items()
        if name != "download"
    }
    measured = {
        "data": data,
        "ranks": grown(beside.RANKS, usages["lora"]),
        "trials": grown(growth.TRIALS, usages["lora"]),
    }
    table = tables.stages(BENCH | {"growth": measured})
    rows = {row[0]: row[1:] for row in table[1:]}
    assert set(rows) == {title(name) for name in usages}
    longest = max(usages, key=lambda name: usages[name]["seconds"])
    assert next(iter(rows)) == title(longest)
    assert {row[-1] for name, row in rows.items() if name != "download"} == {"0.50"}
    assert style.png(growth.draw(measured)).startswith(b"\x89PNG")
