"""The benchmark's results as tables."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pipeline.core import artifacts
from pipeline.scoring.names import title
from pipeline.scoring.tables import Results, Table, markdown

RESULTS = Path("metrics/bench.json")
PICTURE = Path("plots/bench/growth.png")
BESIDE = ("sweep", "shapes", "pretraining", "replay", "sequential", "lora")
SYSTEMS = {"original": "original", "ours": "Retain", "native": "Retain, not reproducible"}
PRETRAINING_EPOCHS = 10
"""Of the original."""


def speed(bench: Results) -> Table:
    """The times of the originals and of this pipeline."""
    rows = [["work", "system", "seconds", "times faster", "matrix products alone, seconds"]]
    for name in filter(bench.__contains__, BESIDE):
        row = bench[name]
        for who, system in SYSTEMS.items():
            times, faster = row[who], row["faster"].get(who)
            limit = row.get("products", {}).get(who)
            rows.append(
                [
                    row["name"] if who == "original" else "",
                    system,
                    f"{times['median']:.0f} ({times['least']:.0f}–{times['most']:.0f})",
                    f"{faster:.1f}" if faster else "",
                    f"{limit:.1f}" if limit else "",
                ]
            )
    if not alike(bench, [*BESIDE, "whole"]):
        return rows
    total, ours = originals(bench), bench["whole"]["seconds"]
    rows.append(
        ["all of it: `dvc repro`, empty cache", SYSTEMS["original"], f"{total:.0f}", "", ""]
    )
    rows.append(["", SYSTEMS["ours"], f"{ours:.0f}", f"{total / ours:.1f}", ""])
    return rows


def alike(bench: Results, names: Sequence[str]) -> bool:
    """Whether measurements were taken, and on machines that are equally fast, within a tenth."""
    speeds = [bench[name]["machine"].get("gigaflops") for name in names if name in bench]
    return len(speeds) == len(names) and all(speeds) and max(speeds) < 1.1 * min(speeds)


def originals(bench: Results) -> float:
    """Seconds of everything that the originals do, from their parts."""
    epochs = {"pretraining": PRETRAINING_EPOCHS}
    return sum(epochs.get(name, 1) * float(bench[name]["original"]["median"]) for name in BESIDE)


def whole(bench: Results) -> Table:
    """What `dvc repro` takes as a whole, after a change, and with nothing to do."""
    run = bench["whole"]
    rows = {
        "from an empty cache": run["seconds"],
        "of these, pretraining": run["stages"]["pretrain"]["seconds"],
        "after setting `lora.rank` to 8": run["change"],
        "with nothing to do": run["nothing"],
        "of a pipeline without stages": run["empty"],
    }
    return [["`dvc repro`", "seconds"], *([name, f"{taken:.1f}"] for name, taken in rows.items())]


def stages(bench: Results) -> Table:
    """What each stage takes, and how that grows with the data."""
    header = [
        "stage",
        "seconds",
        "before its first line",
        "memory, MB",
        "exponent",
    ]
    grown = bench["growth"]["data"]
    rows = [header]
    taken = bench["whole"]["stages"]
    for name in sorted(taken, key=lambda name: -taken[name]["seconds"]):
        usage = taken[name]
        rows.append(
            [
                title(name),
                f"{usage['seconds']:.1f}",
                f"{bench['whole']['imports'][name]['seconds']:.1f}",
                f"{usage['megabytes']:.0f}",
                f"{grown[name]['exponent']:.2f}" if name in grown else "",
            ]
        )
    return rows


def products(bench: Results) -> Table:
    """How much of a training's time goes into convolutions and matrix products."""
    shares = bench["profiles"]["products"]
    return [
        ["training", "convolutions and matrix products, % of the operators' time"],
        ["pretraining", f"{100 * shares['pretraining']:.0f}"],
        ["LoRA of rank 8 in the rank sweep", f"{100 * shares['adapting']:.0f}"],
    ]


def studies(bench: Results) -> Table:
    """Where the time of a study goes."""
    rows = [["study", "training steps, %", "validation passes, %", "all else, %"]]
    for name, shares in bench["profiles"]["studies"].items():
        parts = (shares[part] for part in ("steps", "validation", "elsewhere"))
        rows.append([title(name), *(f"{100 * share:.0f}" for share in parts)])
    return rows


def serve(bench: Results) -> Table:
    """How long the page's visitors wait."""
    load = bench["serve"]
    waits = load["milliseconds"]
    header = ["visitors at once", "requests a second", "errors", *waits]
    row = [
        f"{load['clients']}",
        f"{load['requests'] / load['seconds']:.0f}",
        f"{load['errors']}",
        *(f"{value:.0f} ms" for value in waits.values()),
    ]
    return [header, row]


def machine(bench: Results) -> Table:
    """Of what code, when and where it was measured."""
    measured: dict[tuple[str, ...], list[str]] = {}
    for name, part in bench.items():
        about = part["machine"]
        speed = about.get("gigaflops")
        place = (
            *(str(about[key]) for key in ("commit", "date", "cores", "processor")),
            f"{speed:.0f}" if speed else "",
            *(about[key] for key in ("torch", "keras")),
        )
        measured.setdefault(place, []).append(name)
    header = ["measured", "commit", "date", "cores", "processor", "GFLOP/s", "PyTorch", "Keras"]
    rows = sorted(measured.items(), key=lambda row: row[0][1:])
    return [header, *([", ".join(names), *place] for place, names in rows)]


def photographs(bench: Results) -> Table:
    """What the stages take with few and with many photographs."""
    measured = bench["photographs"]["photographs"]
    few, many = measured
    header = ["stage", *(f"{int(n):,} pictures: {u}" for n in measured for u in ("seconds", "MB"))]
    return [
        header,
        *(
            [title(stage)]
            + [
                f"{measured[count][stage][unit]:.0f}"
                for count in (few, many)
                for unit in ("seconds", "megabytes")
            ]
            for stage in measured[few]
        ),
    ]


def steps(bench: Results) -> Table:
    """What learners reach that learn one class after another, the best first."""
    measured = bench["steps"]
    ours = {("Retain", title(name)): found for name, found in measured["ours"].items()}
    others = {("Avalanche", name): found for name, found in measured["avalanche"].items()}
    learners = sorted(
        (ours | others).items(), key=lambda learner: -float(learner[1]["accuracy"]["mean"])
    )
    rows = [["system", "learner", "all classes, %", "forgetting, points", "seconds"]]
    for names, found in learners:
        points = (
            f"{100 * found[name]['mean']:.2f} ± {100 * found[name]['ci95']:.2f}"
            for name in ("accuracy", "average_forgetting")
        )
        rows.append([*names, *points, f"{found['seconds']['mean']:.0f}"])
    return rows


def parts(bench: Results) -> dict[str, str]:
    """The tables of what has been measured, by their names in bench/README.md."""
    needed: dict[Callable[[Results], Table], set[str]] = {
        speed: set(),
        whole: {"whole"},
        stages: {"whole", "growth"},
        products: {"profiles"},
        studies: {"profiles"},
        photographs: {"photographs"},
        steps: {"steps"},
        serve: {"serve"},
        machine: set(),
    }
    return {
        table.__name__: markdown(table(bench))
        for table, needs in needed.items()
        if needs <= set(bench)
    }


def saved() -> dict[str, Any]:
    """What was measured before."""
    return artifacts.load_json(RESULTS) if RESULTS.exists() else {}
