"""The rank sweep's trainings and what a finished one reports."""

import json
from dataclasses import replace
from typing import Any

import pytest
import torch

from pipeline import models, wide
from pipeline.stages.rank_sweep import RankSweep, SweepTrial, cases
from pipeline.validation import Validation
from tests.project import Project

SETTING: dict[str, Any] = {
    "epochs": 2,
    "batch": 16,
    "optimizer": "adamw",
    "schedule": "one_cycle",
    "weight_decay": 0.0,
    "dropout": 0.1,
    "augmentation": {"rotation": 0.1, "scale": 0.1, "translation": 1.0},
}


def sweep(ranks: list[int], **changed: Any) -> RankSweep:
    settings = {
        "ranks": ranks,
        "alpha": 16.0,
        "stabilised": False,
        "learning_rates": {"full": [0.001], "last_layer": [0.01], "lora": [0.001]},
        "setting": SETTING,
        "published": SETTING | {"learning_rate": 1e-5},
    }
    return RankSweep.model_validate(settings | changed)


@pytest.fixture(scope="module")
def trial() -> SweepTrial:
    torch.manual_seed(0)
    base = models.mlp((1, 8, 8), 5, 0.5, hidden=(30, 40)).eval()
    images, labels = torch.randint(256, (64, 1, 8, 8), dtype=torch.uint8), torch.arange(64) % 5
    none_new = torch.zeros(64, dtype=torch.bool)
    watched = Validation(images, labels, none_new, "overall")
    return SweepTrial(0, sweep([1, 4]), base, images, labels, watched)


def weights(trial: SweepTrial, contender: str, number: int = 0) -> dict[str, torch.Tensor]:
    """What a contender has learned."""
    [values] = cases([contender], trial.sweep.learning_rates.of)
    trained: dict[str, torch.Tensor]
    trained, _ = trial(number, values).result
    return trained


def test_other_ranks_change_nothing(trial: SweepTrial) -> None:
    alone = replace(trial, sweep=sweep([4]))
    beside = replace(trial, sweep=sweep([1, 2, 4, 8]))
    ones, others = weights(alone, "rank_4"), weights(beside, "rank_4", number=7)
    assert all(torch.equal(ones[name], others[name]) for name in ones)


def test_leaving_the_published_setting_out_changes_nothing(trial: SweepTrial) -> None:
    alone = replace(trial, sweep=sweep([4], published=None))
    ones, others = weights(alone, "rank_4"), weights(trial, "rank_4")
    assert all(torch.equal(ones[name], others[name]) for name in ones)


def test_no_learning_rate_leaves_the_last_layer_out() -> None:
    rates = {"full": [0.001], "last_layer": [], "lora": [0.001]}
    tried = cases(wide.names([4]), sweep([4], learning_rates=rates).learning_rates.of)
    assert [values["contender"] for values in tried] == ["full", "rank_4"]


def test_seeds_differ(trial: SweepTrial) -> None:
    ones, others = weights(trial, "rank_1"), weights(replace(trial, seed=1), "rank_1")
    assert not all(torch.equal(ones[name], others[name]) for name in ones)


def test_updates_are_scaled_as_said() -> None:
    assert sweep([4]).scaling(4, inputs=784, published=False) == 4
    assert sweep([4], stabilised=True).scaling(4, inputs=784, published=False) == 8
    assert sweep([4]).scaling(4, inputs=784, published=True) == 784


def test_old_task_is_untouched_without_the_adapter(finished: Project) -> None:
    figures = json.loads((finished.folder / "metrics/rank_sweep.json").read_text())
    names = [*wide.names([1, 4]), "base", "published"]
    assert sorted(figures) == sorted(names)
    for name in ("rank_1", "rank_4"):
        figure = figures[name]
        assert figure["accuracy_old_off"] == figures["base"]["accuracy"]
        assert figure["forgetting"] == pytest.approx(
            figures["base"]["accuracy"] - figure["accuracy_old"], abs=2e-6
        )
        assert figure["stored_bytes"] > 4 * figure["trainable_parameters"]
    assert figures["full"]["trainable_parameters"] == 2_797_005
