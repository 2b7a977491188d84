"""The committed studies."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.core import artifacts, dag, params, stages
from pipeline.core.errors import InputError
from pipeline.new_class import claims as told
from pipeline.studies import definitions, grid, parts, reuse
from tests.project import ROOT


@pytest.fixture(autouse=True)
def _in_the_project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


@pytest.mark.parametrize("path", sorted((ROOT / "studies").glob("*.yaml")), ids=lambda p: p.stem)
def test_every_cell_has_parameters_that_there_are_and_is_one_of_its_kind(path: Path) -> None:
    definition = definitions.load(path.stem)
    planned = grid.cells(definition)
    assert len({cell.name for cell in planned}) == len(planned)
    all_prints = [parts.fingerprints(definition, cell, dag.stages()) for cell in planned]
    assert len({tuple(sorted(prints.items())) for prints in all_prints}) == len(planned)


def test_a_key_that_may_be_left_out_can_be_added() -> None:
    cell = grid.Cell("one", {"+pretrain.l1": 1e-5, "pretrain.dropout": 0.2})
    before = params.read()
    after = grid.parameters(cell)
    assert after["pretrain"] == before["pretrain"] | {"l1": 1e-5, "dropout": 0.2}
    assert {**after, "pretrain": before["pretrain"]} == before


def test_elsewhere_differs_from_mnist_in_no_section_of_a_method() -> None:
    default = params.read()
    free = (
        "data.", "network.", "pretrain.", "split.new_classes", "seed", "split.seed",
        "icarl.budget", "dark_replay.budget",  # as they are by default
    )  # fmt: skip
    for cell in grid.cells(definitions.load("elsewhere")):
        assert all(key.startswith(free) for key in cell.settings), cell
        changed = grid.parameters(cell)
        for method in stages.methods():
            assert changed[method] == default[method]


def test_parameters_of_a_start_count_for_the_cells_that_have_it_and_no_others() -> None:
    definition = definitions.load("trunk")
    starts = {"cifar10": definition.starts["cifar10"] | {"pretrain.epochs": 9}}
    other = definition.model_copy(update={"starts": starts})
    for cell in grid.cells(definition):
        of_both = [parts.fingerprints(each, cell, dag.stages()) for each in (definition, other)]
        assert (of_both[0] == of_both[1]) == (cell.start is None)


def test_a_case_may_collect_other_metrics_than_its_study() -> None:
    definition = definitions.load("claims")
    collected = {
        cell.case: set(parts.metrics(parts.fingerprints(definition, cell, dag.stages())))
        for cell in grid.cells(definition)
    }
    assert {case for case, metrics in collected.items() if metrics == {"ranks"}} == {"swapped"}
    assert all(metrics in ({"ranks"}, {"new_class"}) for metrics in collected.values())


def test_what_a_claim_compares_is_one_figure_that_its_table_has_a_name_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    definition = params.parsed(ROOT / "studies/claims.yaml")
    monkeypatch.setattr(definitions, "FOLDER", tmp_path)

    def said(figure: str, **changed: Any) -> str:
        claims = [{"text": "t", "better": ["swapped", figure], "worse": ["swapped", figure]}]
        case = definition["cases"]["swapped"] | changed
        cases = definition["cases"] | {"swapped": case}
        artifacts.save_json(tmp_path / "x.yaml", definition | {"claims": claims, "cases": cases})
        try:
            definitions.load("x")
        except InputError as error:
            return str(error)
        return ""

    for figure in ("full.accuracy", "rank_8.accuracy_old_off"):
        assert said(figure) == ""
        assert figure.split(".")[1] in told.MEANINGS
    assert "has 'rank_8.forgetting' of the case swapped" in said("rank_8.forgetting")
    of_two = said("base.accuracy", metrics=["new_class", "ranks"])
    assert "which new_class and ranks have; one of its `metrics` accepted" in of_two
    assert said("rank_8.accuracy", metrics=["new_class", "ranks"]) == ""
    assert set(told.MEANINGS) == {*definitions.MEASURES, definitions.OFF}


def test_a_method_has_the_parameters_that_its_own_figures_come_from() -> None:
    definition = definitions.load("replicates")
    cell = grid.cells(definition)[0]
    before = parts.fingerprints(definition, cell, dag.stages())
    for setting, concerned in {
        "lora.rank": {"new_class/lora"},
        "shapes.both.epochs": {"shapes"},
        "fisher.images": {"new_class/ewc"},
        "split.validation": {part for part in before if part.startswith("new_class")},
    }.items():
        other = cell._replace(settings=cell.settings | {setting: 7})
        after = parts.fingerprints(definition, other, dag.stages())
        assert {part for part in before if before[part] != after[part]} == concerned
    fewer = cell._replace(settings=cell.settings | {"methods": ["lora", "replay"]})
    assert parts.fingerprints(definition, fewer, dag.stages()) == {
        part: before[part] for part in before if part.partition("/")[2] in ("", "lora", "replay")
    }


def test_all_parts_together_are_what_there_is() -> None:
    """Methods and contenders of another question have some names in common."""
    record = artifacts.load_json("metrics/studies/replicates.json")["cells"].popitem()[1]
    collected: dict[str, Any] = {}
    for part in record["parameters"]:
        collected = reuse.together(collected, reuse.of_part(record, part))
    assert collected == {key: record[key] for key in collected}
    assert set(collected) == set(record) - {"case", "settings"}


def test_replicates_vary_everything_that_is_drawn() -> None:
    content = params.read()
    seeds = set(_seeds(content, ""))
    varied = set(grid.cells(definitions.load("replicates"))[0].settings)
    # The test images stay where a source has a test part; MNIST has.
    assert varied == seeds - {"data.seed"}


def _seeds(content: dict[str, Any], prefix: str) -> Iterator[str]:
    for name, value in content.items():
        if name == "seed":
            yield f"{prefix}seed"
        elif isinstance(value, dict):
            yield from _seeds(value, f"{prefix}{name}.")
