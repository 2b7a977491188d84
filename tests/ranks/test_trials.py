"""The rank sweep's trainings."""

from dataclasses import replace
from typing import Any

import pytest
import torch

from pipeline.learning import models
from pipeline.learning.validation import Validation
from pipeline.ranks.trials import Sweep, SweepTrial

SETTING: dict[str, Any] = {
    "epochs": 2,
    "batch": 16,
    "optimizer": "adamw",
    "schedule": "one_cycle",
    "weight_decay": 0.0,
    "label_smoothing": 0.0,
    "dropout": 0.1,
    "augmentation": {"rotation": 0.1, "scale": 0.1, "translation": 1.0},
}


def sweep(ranks: list[int], **changed: Any) -> Sweep:
    settings = {
        "ranks": ranks,
        "alpha": 16.0,
        "stabilised": False,
        "learning_rates": {"full": [0.001], "last_layer": [0.01], "lora": [0.001]},
        "setting": SETTING,
        "published": SETTING | {"learning_rate": 1e-5},
    }
    return Sweep.model_validate(settings | changed)


@pytest.fixture(scope="module")
def trial() -> SweepTrial:
    torch.manual_seed(0)
    base = models.mlp((1, 8, 8), 5, 0.5, hidden=(30, 40)).eval()
    images, labels = torch.randint(256, (64, 1, 8, 8), dtype=torch.uint8), torch.arange(64) % 5
    none_new = torch.zeros(64, dtype=torch.bool)
    watched = Validation(images, labels, none_new, "overall")
    return SweepTrial(0, sweep([1, 4]), base, images, labels, watched)


def names(settings: Sweep, published: bool) -> list[str]:
    """Who is trained."""
    return [
        values["contender"].name for values in settings.cases() if values["published"] == published
    ]


def weights(trial: SweepTrial, contender: str, number: int = 0) -> dict[str, torch.Tensor]:
    """What a contender has learned at its own learning rate."""
    place = names(trial.sweep, published=False).index(contender)
    trained: dict[str, torch.Tensor]
    trained, _ = trial(number, trial.sweep.cases()[place]).result
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


def test_every_contender_is_trained_at_each_rate_and_as_published_but_for_the_last_layer() -> None:
    rates = {"full": [0.001, 0.002], "last_layer": [0.01], "lora": [0.001]}
    settings = sweep([1, 4], learning_rates=rates)
    assert names(settings, published=False) == ["full", "full", "last_layer", "rank_1", "rank_4"]
    assert names(settings, published=True) == ["full", "rank_1", "rank_4"]
    tried = {values["learning_rate"] for values in settings.cases() if values["published"]}
    assert tried == {1e-5}


def test_no_learning_rate_leaves_the_last_layer_out() -> None:
    rates = {"full": [0.001], "last_layer": [], "lora": [0.001]}
    assert names(sweep([4], learning_rates=rates), published=False) == ["full", "rank_4"]


def test_seeds_differ(trial: SweepTrial) -> None:
    ones, others = weights(trial, "rank_1"), weights(replace(trial, seed=1), "rank_1")
    assert not all(torch.equal(ones[name], others[name]) for name in ones)


def test_updates_are_scaled_as_said() -> None:
    assert sweep([4]).scaling(4, inputs=784, published=False) == 4
    assert sweep([4], stabilised=True).scaling(4, inputs=784, published=False) == 8
    assert sweep([4]).scaling(4, inputs=784, published=True) == 784


@pytest.mark.parametrize("contender", ["full", "last_layer", "rank_4"])
def test_what_is_handed_on_is_the_trained_contender(trial: SweepTrial, contender: str) -> None:
    place = names(trial.sweep, published=False).index(contender)
    values = trial.sweep.cases()[place]
    outcome = trial(0, values)
    trained, curve = outcome.result
    assert set(trained) == {
        name for name, weight in trial.untrained(values).named_parameters() if weight.requires_grad
    }
    model = trial.untrained(values)
    model.load_state_dict(trained, strict=False)
    with torch.inference_mode():
        measured = trial.validation.measure(model.eval()(trial.validation.inputs))
    assert len(curve) == 2
    assert outcome.score == pytest.approx(trial.validation.score(measured))
