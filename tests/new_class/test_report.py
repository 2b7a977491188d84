"""The tables of the methods."""

from typing import Any

from pipeline.new_class import report
from pipeline.scoring.names import title

KEPT = {
    "base": ("training", 0),
    "joint": ("training", 1000),
    "replay": ("training", 1000),
    "icarl": ("training", 30),
    "dark_replay": ("training", 20),
    "analytic": ("none", 900),
    "slda": ("none", 40),
    "prototypes": ("none", 5),
    "lora": ("none", 50),
    "finetune_all": ("none", 0),
    "distillation": ("none", 0),
}
"""What the methods use old images for, and the bytes they keep; the last are the least accurate."""


def test_best_are_those_of_each_kind_of_what_is_kept_and_those_that_were_published() -> None:
    figure = {"ci95": 0.0, "n": 5}
    means: dict[str, Any] = {}
    for place, name in enumerate(KEPT):
        keys = ("accuracy", "accuracy_new", "accuracy_old", "forgetting")
        means[name] = {key: figure | {"mean": 1 - place / 100} for key in keys}
    facts = {
        name: {"original_data": use, "kept_bytes": kept, "trainable_parameters": 1}
        for name, (use, kept) in KEPT.items()
    }
    shown = ["base", "joint", "replay", "icarl", "analytic", "slda", "lora", "finetune_all"]
    rows = report.best(means, facts)[1:]
    assert [row[0] for row in rows] == [title(name) for name in shown]
    everything = {tuple(row) for row in report.methods(means, facts)}
    assert {tuple(row) for row in rows} <= everything
