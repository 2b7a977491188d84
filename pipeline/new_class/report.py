"""The comparison of the methods as a table for people."""

from pipeline.scoring.names import title
from pipeline.scoring.tables import Results, Table, percent

PUBLISHED = {
    "base": {"accuracy_old": 99.25},
    "replay": {"accuracy": 99.31, "accuracy_new": 99.69},
    "sequential": {"accuracy": 98.22, "accuracy_new": 97.86},
    "lora": {"accuracy": 97.74, "accuracy_new": 96.73},
}
"""Test accuracies of the original systems on MNIST, percent."""


def methods(results: Results, facts: Results) -> Table:
    """The ways to learn the new classes.

    Args:
        results: figures of one run, or means with intervals.
        facts: the metrics of one run, for what isn't a figure.
    """
    rows = [
        [
            "method",
            "all classes, %",
            "new class, %",
            "old classes, %",
            "forgetting, points",
            "trained parameters",
            "old images used for",
            "kept, kB",
            "published: all / new, %",
        ]
    ]
    for name in sorted(results, key=lambda name: (name != "base", name)):
        figure, fact = results[name], facts[name]
        published = PUBLISHED.get(name, {})
        rows.append(
            [
                title(name),
                percent(figure["accuracy"]),
                percent(figure["accuracy_new"]),
                percent(figure["accuracy_old"]),
                percent(figure["forgetting"]),
                f"{fact['trainable_parameters']:,}",
                fact["original_data"],
                "-" if name == "base" else f"{fact['kept_bytes'] / 1000:,.0f}",
                " / ".join(f"{value:.2f}" for value in published.values())
                + (" (old)" if name == "base" else ""),
            ]
        )
    return rows
