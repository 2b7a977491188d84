"""What committed studies hold already of the cells of a study."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from pipeline.core import artifacts, dag
from pipeline.studies import cells, graph, parts
from pipeline.studies.cells import Record
from pipeline.studies.grid import Cell

RESULTS = Path("metrics/studies")


def reusable(
    planned: Mapping[str, Cell], prints: Mapping[str, Mapping[str, str]]
) -> dict[str, Record]:
    """The parts of planned cells, in whatever study, that are of the parameters and data of now.

    Args:
        planned: the cells by their names.
        prints: of every cell the hashes of the parameters of its parts.
    """
    before: dict[tuple[str, str], Record] = {}
    for path in sorted(RESULTS.glob("*.json")):
        for record in artifacts.load_json(path)["cells"].values():
            before |= dict.fromkeys(record["parameters"].items(), record)
    found: dict[str, Record] = {}
    for key, cell in planned.items():
        known = {metric: cells.known_data(metric, cell) for metric in parts.metrics(prints[key])}
        for part, parameters in prints[key].items():
            record = before.get((part, parameters))
            [metric] = parts.metrics([part])
            if record and known[metric].items() <= record["data"].items():
                added = of_part(record, part) | {"case": cell.case, "settings": cell.settings}
                found[key] = together(found.get(key, {}), added)
    return found


def of_part(record: Record, part: str) -> Record:
    """What a record says of one of its parts."""
    stages = dag.stages()
    metric, _, method = part.partition("/")
    chosen = graph.only(stages, [method])
    needed = graph.upstream(chosen, [graph.maker(chosen, metric)])
    outputs = {output for name in needed for output in dag.outputs(stages[name])}
    return {
        "data": _only(record["data"], outputs),
        "seconds": _only(record["seconds"], needed),
        "parameters": _only(record["parameters"], [part]),
        "code": _only(record["code"], [part]),
        "metrics": parts.figures(record["metrics"], part, record["parameters"]),
    }


def together(before: Record, added: Record) -> Record:
    """A cell's record with what was added to it."""
    shared = before.keys() & added.keys() - {"case", "settings"}
    result = before | added | {key: before[key] | added[key] for key in shared}
    for metric in shared and before["metrics"].keys() & added["metrics"].keys():
        result["metrics"][metric] = before["metrics"][metric] | added["metrics"][metric]
    return result


def contradict(before: Record, added: Record) -> bool:
    """Whether two records of a cell differ in a figure that both have."""
    return any(
        figure != before["metrics"].get(metric, {}).get(name, figure)
        for metric, figures in added["metrics"].items()
        for name, figure in figures.items()
    )


def _only(content: Mapping[str, object], names: Iterable[str]) -> dict[str, object]:
    return {name: value for name, value in content.items() if name in {*names}}
