"""The rank sweep's trainings."""

from dataclasses import replace
from typing import Any

import pytest
import torch

from pipeline.learning import networks
from pipeline.learning.validation import Validation
from pipeline.ranks.trials import Sweep, SweepTrial
from pipeline.ranks.wide import Contender
from pipeline.search.workers import Values

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
        "trial_steps": 2,
        "learning_rates": {"full": [0.001], "last_layer": [0.01], "lora": [0.001]},
        "setting": SETTING,
        "published": SETTING | {"learning_rate": 1e-5},
    }
    return Sweep.model_validate(settings | changed)


@pytest.fixture(scope="module")
def trial() -> SweepTrial:
    torch.manual_seed(0)
    base = networks.mlp((1, 8, 8), 5, 0.5, hidden=(30, 40)).eval()
    images, labels = torch.randint(256, (64, 1, 8, 8), dtype=torch.uint8), torch.arange(64) % 5
    none_new = torch.zeros(64, dtype=torch.bool)
    watched = Validation(images, labels, none_new, "overall")
    return SweepTrial(0, sweep([1, 4]), base, images, labels, watched)


def names(cases: list[Values], published: bool = False) -> list[str]:
    return [case["contender"].name for case in cases if case["published"] == published]


def training(trial: SweepTrial, contender: str) -> Values:
    """The values of a contender's training."""
    cases = trial.sweep.trainings({})
    return cases[names(cases).index(contender)]


def weights(trial: SweepTrial, contender: str, number: int = 0) -> dict[str, torch.Tensor]:
    """What a contender has learned."""
    trained: dict[str, torch.Tensor]
    trained, _ = trial(number, training(trial, contender)).result
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


def test_rates_are_tried_shortly_where_there_are_several() -> None:
    rates = {"full": [0.001, 0.002], "last_layer": [0.01], "lora": [0.001, 0.002, 0.003]}
    cases = sweep([4], learning_rates=rates).trials()
    assert names(cases) == ["full"] * 2 + ["rank_4"] * 3
    assert [case["learning_rate"] for case in cases] == [0.001, 0.002, 0.001, 0.002, 0.003]
    assert {case["epochs"] for case in cases} == {1}
    assert sweep([1, 4]).trials() == []


@pytest.mark.parametrize("count", [64, 20])
def test_trials_of_rates_take_their_steps_whatever_the_number_of_images(
    trial: SweepTrial, count: int
) -> None:
    few = replace(trial, images=trial.images[:count], labels=trial.labels[:count])
    short = replace(few, sweep=sweep([4], trial_steps=3)).short()
    assert len(short.images) == min(count, 3 * SETTING["batch"])
    of_few, of_short = (
        {
            (image.numpy().tobytes(), int(label))
            for image, label in zip(each.images, each.labels, strict=True)
        }
        for each in (few, short)
    )
    assert of_short <= of_few
    _, [row] = short(0, training(trial, "full") | {"epochs": 1}).result
    assert row["step"] == (3 if count == 64 else 4)


def test_every_contender_is_trained_once_and_as_published_but_for_the_last_layer() -> None:
    settings = sweep([1, 4], learning_rates={"full": [1, 2], "last_layer": [3], "lora": [4, 5]})
    cases = settings.trainings({Contender("full"): 2, Contender("lora", 4): 5})
    assert names(cases) == ["full", "last_layer", "rank_1", "rank_4"]
    assert names(cases, published=True) == ["full", "rank_1", "rank_4"]
    assert [case["learning_rate"] for case in cases] == [2, 3, 4, 5, 1e-5, 1e-5, 1e-5]
    assert {case["epochs"] for case in cases} == {2}


def test_no_learning_rate_leaves_the_last_layer_out() -> None:
    rates = {"full": [0.001], "last_layer": [], "lora": [0.001]}
    assert names(sweep([4], learning_rates=rates).trainings({})) == ["full", "rank_4"]


def test_seeds_differ(trial: SweepTrial) -> None:
    ones, others = weights(trial, "rank_1"), weights(replace(trial, seed=1), "rank_1")
    assert not all(torch.equal(ones[name], others[name]) for name in ones)


def test_updates_are_scaled_as_said() -> None:
    assert sweep([4]).scaling(4, inputs=784, published=False) == 4
    assert sweep([4], stabilised=True).scaling(4, inputs=784, published=False) == 8
    assert sweep([4]).scaling(4, inputs=784, published=True) == 784


@pytest.mark.parametrize("contender", ["full", "last_layer", "rank_4"])
def test_what_is_handed_on_is_the_trained_contender(trial: SweepTrial, contender: str) -> None:
    values = training(trial, contender)
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
