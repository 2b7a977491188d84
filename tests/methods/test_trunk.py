"""Methods that change all weights, each run as a stage, against what their papers promise."""

from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.neighbors import NearestCentroid

from pipeline.core import artifacts, run
from pipeline.core.labelled import Labelled
from pipeline.learning.networks import Classifier
from pipeline.new_class import results
from pipeline.techniques import rehearsal
from pipeline.techniques.fisher import Fisher
from tests.methods.conftest import NEW, WIDTH, Learn, clouds
from tests.project import Project

TEST = clouds(100, seed=2)
OLD = [label for label in range(4) if label != NEW]


def logits(model: Classifier) -> torch.Tensor:
    with torch.no_grad():
        outputs: torch.Tensor = model(torch.from_numpy(TEST.inputs))
    return outputs


def accuracy(model: Classifier) -> float:
    return float((logits(model).argmax(1).numpy() == TEST.labels).mean())


def new_share(model: Classifier) -> float:
    return float((logits(model).argmax(1) == NEW).float().mean())


def order_kept(model: Classifier) -> float:
    """The share of images of old classes for which, of the old logits, the right one is largest."""
    old = ~TEST.is_new
    best = np.array(OLD)[logits(model)[:, OLD].argmax(1).numpy()]
    return float((best == TEST.labels)[old].mean())


def test_distillation_holds_the_old_classes_apart_but_the_new_one_takes_all(learn: Learn) -> None:
    method = learn("distillation")
    assert new_share(method.model) > 0.9
    assert order_kept(method.model) > 0.9
    assert method.facts["original_data"] == "none"
    assert method.facts["kept_bytes"] == 0


def test_without_weight_distillation_is_naive_fine_tuning(learn: Learn, sources: Path) -> None:
    same = {"least_steps": 0, "epochs": 2, "learning_rate": 0.01, "weight_decay": 0.0}
    changes = {
        f"{name}.{key}": value
        for name in ("distillation", "finetune_all")
        for key, value in same.items()
    }
    Project(sources).set({**changes, "distillation.batch": 1000, "finetune_all.batch": 1000})
    Project(sources).set({"distillation.weight": 0.0})
    naive, distilled = learn("finetune_all").model, learn("distillation").model
    torch.testing.assert_close(logits(distilled), logits(naive), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("penalty", "rate"), [(0.0, 0.3), (1e6, 0.01)])
def test_a_strong_penalty_of_ewc_keeps_the_base_and_none_keeps_nothing(
    learn: Learn, sources: Path, penalty: float, rate: float
) -> None:
    Project(sources).set({"ewc.penalty": penalty, "ewc.learning_rate": rate})
    method = learn("ewc")
    old = torch.from_numpy(~TEST.is_new)
    right = logits(method.model).argmax(1).numpy() == TEST.labels
    kept = float(right[old].mean())
    assert kept > 0.9 if penalty else kept < 0.1
    assert method.facts["original_data"] == "none"
    assert method.facts["kept_bytes"] == Path("data/fisher/fisher.safetensors").stat().st_size


def test_fisher_information_is_of_every_weight_of_the_base(learn: Learn) -> None:
    artifacts.save_json("data/weights/about.json", {"statistics": []})
    assert run.main(["fisher"]) == 0
    found = Fisher.load("data/fisher/fisher.safetensors")[0].weights
    shapes = {name: weight.shape for name, weight in results.load_base().named_parameters()}
    assert {name: weight.shape for name, weight in found.items()} == shapes
    assert all(bool(weight.max() > 0) for weight in found.values())


def test_where_the_images_are_gone_fisher_information_is_that_which_was_brought(
    learn: Learn, capsys: pytest.CaptureFixture[str]
) -> None:
    old = Labelled.load("data/split/old_train")
    old.where(np.arange(0)).save("data/split/old_train")
    brought = Fisher.load("data/fisher/fisher.safetensors")[0].weights
    fewer = {name: w[:3] if "output" in name else w for name, w in brought.items()}
    Fisher(fewer).save("data/weights/fisher.safetensors", 7)
    artifacts.save_json("data/weights/about.json", {"statistics": ["fisher.safetensors"]})
    assert run.main(["fisher"]) == 0
    information, count = Fisher.load("data/fisher/fisher.safetensors")
    found = information.weights
    assert count == 7
    assert torch.equal(found["head.output.weight"][:3], brought["head.output.weight"][:3])
    assert not found["head.output.weight"][3].any()
    assert torch.equal(found["head.dense_1.weight"], brought["head.dense_1.weight"])
    other = Fisher({"head.output.weight": torch.zeros(3, 5)})
    other.save("data/weights/fisher.safetensors", 200)
    assert run.main(["fisher"]) == 2
    assert "is of other weights than the classifier's" in capsys.readouterr().err


def test_ewc_is_left_out_without_fisher_information(
    learn: Learn, capsys: pytest.CaptureFixture[str]
) -> None:
    Fisher({}).save("data/fisher/fisher.safetensors", 200)
    with pytest.raises(IndexError):
        learn("ewc")
    assert "ewc: left out, as it needs Fisher information" in capsys.readouterr().err


@pytest.mark.filterwarnings("ignore:self.within_class_std_dev_")  # units that are never active
def test_icarl_answers_by_the_nearest_mean_of_its_exemplars(learn: Learn) -> None:
    method = learn("icarl")
    assert accuracy(method.model) > 0.95
    base = results.load_base()
    kept = rehearsal.exemplars(base, Labelled.load("data/split/old_train"), 10)
    new = rehearsal.exemplars(method.model, Labelled.load("data/split/new_train"), 10)
    parts = [rehearsal.penultimate(method.model, part).numpy() for part in (kept, new)]
    trusted = NearestCentroid().fit(
        np.concatenate(parts), np.concatenate([kept.labels, new.labels])
    )
    trusted.centroids_ /= np.linalg.norm(trusted.centroids_, axis=1, keepdims=True)
    answers = trusted.predict(rehearsal.penultimate(method.model, TEST).numpy())
    assert np.array_equal(logits(method.model).argmax(1).numpy(), answers)
    assert method.facts["original_data"] == "training"
    assert method.facts["kept_bytes"] == 3 * 10 * WIDTH * 4
    assert method.facts["trainable_parameters"] == sum(w.numel() for w in base.parameters())


def test_dark_replay_learns_from_few_images_and_their_logits(learn: Learn) -> None:
    method = learn("dark_replay")
    assert accuracy(method.model) > 0.95
    assert method.facts["original_data"] == "training"
    assert method.facts["kept_bytes"] == 3 * 10 * (WIDTH * 4 + 4 * 4)


def test_alpha_holds_the_old_logits(learn: Learn, sources: Path) -> None:
    kept = Labelled.load("data/split/old_train")
    inputs = torch.from_numpy(np.array(kept.inputs))

    def moved(alpha: float) -> float:
        Project(sources).set({"dark_replay.alpha": alpha})
        models = (results.load_base(), learn("dark_replay").model)
        with torch.no_grad():
            before, after = (model(inputs) for model in models)
        return float((before - after).square().mean())

    assert moved(5.0) < 0.5 * moved(0.0)


@pytest.mark.parametrize("name", ["replay", "dark_replay"])
def test_aligning_changes_the_new_row_alone(learn: Learn, sources: Path, name: str) -> None:
    plain = learn(name).model
    Project(sources).set({f"{name}.weight_aligning": True})
    aligned = learn(name).model
    before, after = (model.head.get_parameter("output.weight") for model in (plain, aligned))
    assert torch.equal(before[OLD], after[OLD])
    torch.testing.assert_close(after[NEW].norm(), after[OLD].norm(dim=1).mean())


@pytest.mark.parametrize("name", ["distillation", "ewc", "icarl", "dark_replay"])
def test_equal_runs_give_equal_bytes(learn: Learn, name: str) -> None:
    file = Path(f"data/methods/{name}/weights.safetensors")
    learn(name)
    first = file.read_bytes()
    learn(name)
    assert file.read_bytes() == first
