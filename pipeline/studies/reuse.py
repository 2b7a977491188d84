"""What committed studies hold already of the cells of a study."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from pipeline.core import artifacts
from pipeline.studies import cells, dag
from pipeline.studies.cells import Record
from pipeline.studies.grid import Cell

RESULTS = Path("metrics/studies")


def reusable(
    planned: Mapping[str, Cell], prints: Mapping[str, Mapping[str, str]]
) -> dict[str, Record]:
    """The metrics of planned cells, in whatever study, that are of the parameters and data of now.

    Args:
        planned: the cells by their names.
        prints: of every cell the hashes of the parameters of its metrics.
    """
    before: dict[tuple[str, str], Record] = {}
    for path in sorted(RESULTS.glob("*.json")):
        for record in artifacts.load_json(path)["cells"].values():
            before |= dict.fromkeys(record["parameters"].items(), record)
    found: dict[str, Record] = {}
    for key, cell in planned.items():
        for metric, parameters in prints[key].items():
            record = before.get((metric, parameters))
            if record and cells.known_data(metric, cell).items() <= record["data"].items():
                added = of_metric(record, metric) | {"case": cell.case, "settings": cell.settings}
                found[key] = together(found.get(key, {}), added)
    return found


def of_metric(record: Record, metric: str) -> Record:
    """The part of a record that one of its metrics comes from."""
    stages = dag.stages()
    needed = dag.upstream(stages, [dag.maker(stages, metric)])
    outputs = {output for name in needed for output in dag.outputs(stages[name])}
    return {
        "data": _only(record["data"], outputs),
        "seconds": _only(record["seconds"], needed),
        **{part: {metric: record[part][metric]} for part in ("parameters", "code", "metrics")},
    }


def together(before: Record, added: Record) -> Record:
    """A cell's record with what was added to it."""
    shared = before.keys() & added.keys() - {"case", "settings"}
    return before | added | {key: before[key] | added[key] for key in shared}


def _only(content: Mapping[str, object], names: Iterable[str]) -> dict[str, object]:
    return {name: value for name, value in content.items() if name in {*names}}
