"""The rank sweep as a table for people."""

from pipeline.scoring.names import title
from pipeline.scoring.tables import Results, Table, percent

PUBLISHED = {
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


def ranks(results: Results, facts: Results) -> Table:
    """LoRA at several ranks against full fine-tuning."""
    rows = [
        [
            "adapted by",
            "new classes, %",
            "old classes, %",
            "adapter off, %",
            "trained parameters",
            "stored, kB",
            "one rate for all: new, %",
            "published: new, %",
        ]
    ]
    contenders = [name for name in facts if name not in ("base", "published")]
    for name in sorted(contenders, key=lambda name: facts[name]["trainable_parameters"]):
        figure, same = results[name], results.get("published", {}).get(name)
        off = figure.get("accuracy_old_off")
        rows.append(
            [
                title(name),
                percent(figure["accuracy"]),
                percent(figure["accuracy_old"]),
                percent(off) if off else "",
                f"{facts[name]['trainable_parameters']:,}",
                f"{facts[name]['stored_bytes'] / 1000:,.0f}",
                percent(same["accuracy"]) if same else "",
                f"{PUBLISHED[name]:.1f}" if name in PUBLISHED else "",
            ]
        )
    return rows
