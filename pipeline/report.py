"""The results as tables, of the last run or of several seeds.

`python -m pipeline.report` prints those of the last run. With a file, it fills in those of all
seeds, and those of the benchmark, between `<!-- NAME -->` and `<!-- end NAME -->`.
"""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline import artifacts, timings
from pipeline.errors import InputError

PUBLISHED = {
    "base": {"accuracy_old": 99.25},
    "replay": {"accuracy": 99.31, "accuracy_new": 99.69},
    "sequential": {"accuracy": 98.22, "accuracy_new": 97.86},
    "lora": {"accuracy": 97.74, "accuracy_new": 96.73},
}
"""Test accuracies of the original systems, percent."""

TITLES = {
    "base": "base (before)",
    "lora": "LoRA",
    "gaussian_lora": "Gaussian LoRA",
    "gaussian_replay": "Gaussian replay",
    "full": "all weights",
}

PUBLISHED_RANKS = {
    "full": 93.8,
    "rank_1": 92.9,
    "rank_2": 94.5,
    "rank_4": 95.8,
    "rank_8": 97.3,
    "rank_16": 97.8,
    "rank_32": 98.2,
    "rank_64": 98.7,
}
"""Test accuracies of the original rank sweep on the new digits, percent."""

SHAPES = {
    "base": "base, on its three classes",
    "transfer": "transfer, on two new ones",
    "fine_tuned": "all weights from the base",
    "scratch": "all weights from scratch",
    "random": "random convolutions, frozen",
    "both": "transfer, on all five",
    "both_plain": "transfer, on all five, no outliers",
}

FILES = ("evaluate", "rank_sweep", "transfer")

Results = Mapping[str, Any]
Table = list[list[str]]


def methods(results: Results, facts: Results) -> Table:
    """The ways to learn the new classes."""
    rows = [
        [
            "method",
            "all digits, %",
            "new digit, %",
            "old digits, %",
            "forgetting, points",
            "trained parameters",
            "old images used",
            "kept, kB",
            "published: all / new, %",
        ]
    ]
    figures = results["evaluate"]
    for name in sorted(figures, key=lambda name: (name != "base", name)):
        figure, fact = figures[name], facts["evaluate"][name]
        published = PUBLISHED.get(name, {})
        rows.append(
            [
                title(name),
                percent(figure["accuracy"]),
                percent(figure["accuracy_new"]),
                percent(figure["accuracy_old"]),
                percent(figure["forgetting"]),
                f"{fact['trainable_parameters']:,}",
                "yes" if fact["original_data"] else "no",
                "-" if name == "base" else f"{fact['kept_bytes'] / 1000:,.0f}",
                " / ".join(f"{value:.2f}" for value in published.values())
                + (" (old digits)" if name == "base" else ""),
            ]
        )
    return rows


def ranks(results: Results, facts: Results) -> Table:
    """LoRA at several ranks against full fine-tuning."""
    rows = [
        [
            "adapted by",
            "new digits, %",
            "old digits, %",
            "adapter off, %",
            "trained parameters",
            "stored, kB",
            "one rate for all: new, %",
            "published: new, %",
        ]
    ]
    figures, fact = results["rank_sweep"], facts["rank_sweep"]
    contenders = [name for name in fact if name not in ("base", "published")]
    for name in sorted(contenders, key=lambda name: fact[name]["trainable_parameters"]):
        figure, same = figures[name], figures.get("published", {}).get(name)
        off = figure.get("accuracy_old_off")
        rows.append(
            [
                title(name),
                percent(figure["accuracy"]),
                percent(figure["accuracy_old"]),
                percent(off) if off else "",
                f"{fact[name]['trainable_parameters']:,}",
                f"{fact[name]['stored_bytes'] / 1000:,.0f}",
                percent(same["accuracy"]) if same else "",
                f"{PUBLISHED_RANKS[name]:.1f}" if name in PUBLISHED_RANKS else "",
            ]
        )
    return rows


def transfer(results: Results, facts: Results) -> Table:
    """The ways to learn new shapes."""
    rows = [
        ["shapes", "accuracy, %", "macro F1", "loss, nats", "labels for 95 %", "labels saved"],
    ]
    needed = results["transfer"].get("labels_for_95", {})
    once = facts["transfer"]["labels_for_95"]
    scratch = needed.get("scratch")
    for name, figure in results["transfer"].items():
        if "accuracy" not in figure:
            continue
        labels = needed.get(name)
        otherwise = "not in every run" if once.get(name) else "not reached" if name in once else ""
        rows.append(
            [
                SHAPES[name],
                percent(figure["accuracy"]),
                number(figure["f1_macro"], 4),
                number(figure["loss"], 4),
                number(labels, 0) if labels else otherwise,
                f"{mean(scratch) - mean(labels):.0f}" if labels and scratch else "",
            ]
        )
    return rows


def unknown(results: Results, facts: Results) -> Table:
    """How well known and unknown shapes are told apart."""
    rows = [["score", "outliers in training", "AUROC", "unknown passed at 95 % known, %"]]
    for key, shown in {"both_plain": "no", "both": "yes"}.items():
        for score, figure in results["transfer"][key]["unknown"].items():
            rows.append([score, shown, number(figure["auroc"], 3), percent(figure["fpr95"])])
    return rows


def rejected(results: Results, facts: Results) -> Table:
    """How many images of every shape are called unknown."""
    figures = results["transfer"]["both"]["rejected"]
    return [["", *figures], ["called unknown, %", *map(percent, figures.values())]]


def percent(fraction: float | Mapping[str, float]) -> str:
    """A fraction as percent with two decimals, with its interval if there is one."""
    if isinstance(fraction, Mapping):
        return f"{100 * fraction['mean']:.2f} ± {100 * fraction['ci95']:.2f}"
    return f"{100 * fraction:.2f}"


def number(value: float | Mapping[str, float], decimals: int) -> str:
    """A number with its interval if there is one."""
    if isinstance(value, Mapping):
        return f"{value['mean']:.{decimals}f} ± {value['ci95']:.{decimals}f}"
    return f"{value:.{decimals}f}"


def mean(value: float | Mapping[str, float]) -> float:
    """A number, or the mean of several."""
    return value["mean"] if isinstance(value, Mapping) else value


def title(name: str) -> str:
    """The name of a method or contender for people."""
    if name.startswith("rank_"):
        return f"LoRA, rank {name.removeprefix('rank_')}"
    return TITLES.get(name, name.replace("_", " "))


def markdown(rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown, its columns aligned so that it reads as plain text too."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        "| "
        + " | ".join(
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        + " |"
        for row in rows
    ]
    rule = "|" + "|".join(
        "-" * (width + 2) if column == 0 else "-" * (width + 1) + ":"
        for column, width in enumerate(widths)
    )
    return "\n".join([lines[0], f"{rule}|", *lines[1:]])


PARTS = {
    "methods": methods,
    "ranks": ranks,
    "transfer": transfer,
    "unknown": unknown,
    "rejected": rejected,
}


def load(name: str) -> dict[str, Any]:
    """The content of a file of `metrics/`.

    Raises:
        InputError: if it is missing or damaged.
    """
    content: dict[str, Any] = artifacts.load_json(f"metrics/{name}.json")
    return content


def fill(text: str) -> str:
    """Replaces the generated parts of a text by what the files in `metrics/` say now."""
    facts, results = {name: load(name) for name in FILES}, load("replicates")
    parts = {name: markdown(table(results, facts)) for name, table in PARTS.items()}
    bench = load("bench")
    parts |= {name: markdown(table) for name, table in timings.tables(bench).items()}
    for name, part in (parts | {"machine": timings.machine(bench)}).items():
        begin, end = f"<!-- {name} -->", f"<!-- end {name} -->"
        before, _, rest = text.partition(begin)
        _, found, after = rest.partition(end)
        if found:
            text = f"{before}{begin}\n{part}\n{end}{after}"
    return text


def main(arguments: Sequence[str]) -> None:
    """Prints the tables of the last run, or fills those of all seeds in a file."""
    if arguments:
        path = Path(arguments[0])
        artifacts.save_bytes(path, fill(artifacts.load_bytes(path).decode()).encode())
        return
    facts = {name: load(name) for name in FILES}
    tables = [table(facts, facts) for table in PARTS.values()]
    print("\n\n".join(markdown(without_published(table)) for table in tables))


def without_published(table: Table) -> Table:
    """A table without its last column if that has the published figures, which are of MNIST."""
    return [row[:-1] for row in table] if table[0][-1].startswith("published") else table


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except InputError as error:
        print(f"report: {error}", file=sys.stderr)
        sys.exit(2)
