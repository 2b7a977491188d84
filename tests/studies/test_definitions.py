"""The committed studies."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.core import params, stages
from pipeline.studies import cells, grid
from tests.project import ROOT


@pytest.fixture(autouse=True)
def _in_the_project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


@pytest.mark.parametrize("path", sorted((ROOT / "studies").glob("*.yaml")), ids=lambda p: p.stem)
def test_every_cell_has_parameters_that_there_are_and_is_one_of_its_kind(path: Path) -> None:
    definition = grid.load(path.stem)
    planned = grid.cells(definition)
    assert len({cell.name for cell in planned}) == len(planned)
    for metric in definition.metrics:
        prints = {cells.fingerprints(definition, cell)[metric] for cell in planned}
        assert len(prints) == len(planned)


def test_elsewhere_differs_from_mnist_in_no_section_of_a_method() -> None:
    free = ("data.", "network.", "pretrain.", "split.new_classes", "seed", "split.seed")
    for cell in grid.cells(grid.load("elsewhere")):
        assert all(key.startswith(free) for key in cell.settings), cell
        changed = cells.parameters(cell)
        for method in stages.methods():
            assert changed[method] == params.read()[method]


def test_parameters_of_a_start_count_for_the_cells_that_have_it_and_no_others() -> None:
    definition = grid.load("trunk")
    starts = {"cifar10": definition.starts["cifar10"] | {"pretrain.epochs": 9}}
    other = definition.model_copy(update={"starts": starts})
    for cell in grid.cells(definition):
        same = cells.fingerprints(definition, cell) == cells.fingerprints(other, cell)
        assert same == (cell.start is None)


def test_replicates_vary_everything_that_is_drawn() -> None:
    content = params.read()
    seeds = set(_seeds(content, ""))
    varied = set(grid.cells(grid.load("replicates"))[0].settings)
    # The test images stay where a source has a test part; MNIST has.
    assert varied == seeds - {"data.seed"}


def _seeds(content: dict[str, Any], prefix: str) -> Iterator[str]:
    for name, value in content.items():
        if name == "seed":
            yield f"{prefix}seed"
        elif isinstance(value, dict):
            yield from _seeds(value, f"{prefix}{name}.")
