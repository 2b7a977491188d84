"""Methods, each run as a stage, against trusted implementations."""

from operator import itemgetter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import torch.nn.functional as F
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression
from sklearn.metrics.pairwise import cosine_similarity
from torch import nn

from pipeline.core import artifacts, params, run
from pipeline.core.labelled import Labelled
from pipeline.learning.networks import Classifier
from pipeline.new_class import results
from pipeline.techniques.statistics.ridge import Projection, Sums
from tests.methods.conftest import NEW, Learn, clouds, prepare
from tests.project import Project

TEST = clouds(100, seed=2)
INPUTS = torch.from_numpy(TEST.inputs)
OLD = [label for label in range(4) if label != NEW]


def logits(model: Classifier) -> torch.Tensor:
    with torch.no_grad():
        outputs: torch.Tensor = model(INPUTS)
    return outputs


def accuracy(model: Classifier) -> float:
    return float((logits(model).argmax(1).numpy() == TEST.labels).mean())


def everything() -> tuple[np.ndarray, np.ndarray]:
    parts = [Labelled.load(f"data/features/{name}") for name in ("old_train", "new_train")]
    inputs = np.concatenate([part.inputs for part in parts])
    return inputs, np.concatenate([part.labels for part in parts])


def test_new_row_leaves_the_old_logits_and_counts_its_own_numbers(learn: Learn) -> None:
    method = learn("new_row")
    before = logits(results.load_base())
    assert torch.equal(logits(method.model)[:, OLD], before[:, OLD])
    assert accuracy(method.model) > 0.95
    assert method.facts["trainable_parameters"] == INPUTS.shape[1] + 1
    assert method.facts["original_data"] == "none"
    kept = Path("data/statistics/gaussians.safetensors").stat().st_size
    assert method.facts["kept_bytes"] == kept


@pytest.mark.parametrize(
    ("name", "budget", "images"),
    [
        ("replay", None, 3 * (200 + 50)),
        ("replay", 10, 3 * (10 + 10)),
        ("joint", None, 3 * (200 + 50)),
        ("last_layer", None, 3 * (200 + 50)),
    ],
)
def test_old_images_count_that_are_trained_or_chosen_on(
    learn: Learn, sources: Path, name: str, budget: int | None, images: int
) -> None:
    if budget:
        Project(sources).set({f"{name}.budget": budget})
    method = learn(name)
    assert method.facts["kept_bytes"] == images * INPUTS.shape[1] * 4


def test_prototypes_have_the_smallest_angle(learn: Learn) -> None:
    inputs, labels = everything()
    means = np.stack([inputs[labels == label].mean(0) for label in range(4)])
    method = learn("prototypes")
    trusted = cosine_similarity(TEST.inputs, means).argmax(1)
    assert np.array_equal(logits(method.model).argmax(1), trusted)
    assert method.facts["original_data"] == "none"


def test_slda_is_the_discriminant_analysis_of_all_data_at_once(learn: Learn) -> None:
    trusted = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=1e-4).fit(*everything())
    method = learn("slda")
    own = logits(method.model).double().log_softmax(1)
    expected = torch.from_numpy(trusted.predict_log_proba(TEST.inputs))
    torch.testing.assert_close(own, expected, atol=1e-3, rtol=1e-3)
    assert method.facts["original_data"] == "none"


def test_analytic_takes_what_generalised_cross_validation_says(learn: Learn, sources: Path) -> None:
    Project(sources).set({"analytic.widths": [10, 300], "analytic.ridges": [3.0, 3e4]})
    method = learn("analytic")
    new = Labelled.load("data/features/new_train")
    old, projection = Sums.load("data/statistics/sums.safetensors")
    labels = torch.from_numpy(new.labels)
    sums = old.plus(Sums.of(projection, torch.from_numpy(new.inputs), labels, 4))
    study = pd.read_csv("data/methods/analytic/study.csv").to_dict("records")
    assert len(study) == 4
    for row in study:
        expected = sums.first(row["width"]).cross_validated(row["ridge"])
        assert row["loss"] == pytest.approx(expected, rel=1e-4)
    best = min(study, key=itemgetter("loss"))
    weight = method.model.get_parameter("head.output.weight")
    solved = sums.first(best["width"]).solve(best["ridge"])
    assert weight.shape == solved.shape

    chosen_on = results.validation_without_old_images()
    outputs = projection(torch.from_numpy(chosen_on.inputs))[:, : best["width"]] @ solved.T

    def loss(scale: float) -> float:
        return float(F.cross_entropy(scale * outputs, torch.from_numpy(chosen_on.labels)))

    scale = min(params.read()["analytic"]["scales"], key=loss)
    torch.testing.assert_close(weight, (scale * solved).float())


def test_ridges_too_small_for_the_images_are_left_out_or_refused(
    learn: Learn, sources: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = Labelled.load("data/features/old_train")
    projection = Projection(0, 300)
    few = old.few(5, 0)
    sums = Sums.of(projection, torch.from_numpy(few.inputs), torch.from_numpy(few.labels), 4)
    sums.save("data/statistics/sums.safetensors", projection.seed)
    new = Labelled.load("data/features/new_train")
    new.few(5, 0).save("data/features/new_train")
    Project(sources).set({"analytic.ridges": [1e-9, 1e-8, 3.0]})
    learn("analytic")
    assert pd.read_csv("data/methods/analytic/study.csv")["trial"].tolist() == [2]
    Project(sources).set({"analytic.ridges": [1e-9, 1e-8]})
    assert run.main(["analytic"]) == 2
    assert "analytic.ridges is [1e-09, 1e-08], too small" in capsys.readouterr().err


def test_last_layer_is_a_logistic_regression_on_the_last_hidden_layer(learn: Learn) -> None:
    method = learn("last_layer")
    saved = artifacts.load_tensors("data/methods/last_layer/weights.safetensors", "changed weights")
    assert set(saved.arrays) == {"head.output.weight", "head.output.bias"}
    head = results.load_base().head
    assert isinstance(head, nn.Sequential)
    hidden = head[:-1]
    inputs, labels = everything()
    with torch.no_grad():
        seen, unseen = (hidden(torch.from_numpy(part)).numpy() for part in (inputs, TEST.inputs))
    trusted = LogisticRegression(C=100, max_iter=1000).fit(seen, labels).predict(unseen)
    assert (logits(method.model).argmax(1).numpy() == trusted).mean() > 0.97
    assert method.facts["original_data"] == "training"


def test_finetune_all_lets_the_new_class_swallow_the_old_ones(learn: Learn) -> None:
    method = learn("finetune_all")
    assert accuracy(results.load_base()) > 0.7
    assert accuracy(method.model) < 0.5
    assert float((logits(method.model).argmax(1) == NEW).float().mean()) > 0.9
    assert method.facts["original_data"] == "none"


def test_reft_learns_with_its_few_numbers(learn: Learn) -> None:
    method = learn("reft")
    assert accuracy(method.model) > 0.95
    assert method.facts["trainable_parameters"] == 4 * (16 + 16 + 1)
    saved = artifacts.load_tensors("data/methods/reft/weights.safetensors", "changed weights")
    assert set(saved.arrays) == {"head.output.weight", "head.output.bias"}
    assert method.facts["original_data"] == "none"


@pytest.mark.parametrize("name", ["new_row", "reft"])
def test_equal_runs_give_equal_bytes(learn: Learn, name: str) -> None:
    def bytes_of() -> list[bytes]:
        files = sorted(Path(f"data/methods/{name}").glob("*.safetensors"))
        return [file.read_bytes() for file in files]

    learn(name)
    first = bytes_of()
    learn(name)
    assert bytes_of() == first


def test_few_held_out_images_weigh_what_the_samples_of_an_old_class_do(learn: Learn) -> None:
    held_out = Labelled.load("data/features/new_validation")
    held_out.where(np.arange(len(held_out.labels)) < 7).save("data/features/new_validation")
    chosen_on = results.validation_without_old_images()
    assert np.bincount(chosen_on.labels).tolist() == [50] * 4
    assert len(np.unique(chosen_on.inputs[chosen_on.is_new], axis=0)) == 7


def with_images_to_choose_on(sources: Path) -> int:
    """Runs the stage that keeps them; its exit code."""
    Project(sources).set({"statistics.validation": "images", "statistics.rank": 4})
    artifacts.save_json("data/weights/about.json", {"statistics": []})
    return run.main(["statistics"])


def test_images_to_choose_on_take_the_samples_place_and_are_told(
    learn: Learn, sources: Path
) -> None:
    assert with_images_to_choose_on(sources) == 0
    held_out = Labelled.load("data/features/old_validation")
    chosen_on = results.validation_without_old_images()
    old = chosen_on.where(~chosen_on.is_new)
    assert {row.tobytes() for row in old.inputs} <= {row.tobytes() for row in held_out.inputs}

    images, gaussians = held_out.inputs.nbytes, results.GAUSSIANS.stat().st_size
    for name, kept in {"gaussian_replay": gaussians, "sequential": 0}.items():
        method = learn(name)
        assert method.facts["original_data"] == "validation"
        assert method.facts["kept_bytes"] == kept + images
    assert learn("new_row").facts["original_data"] == "none"  # which chooses nothing on them


def test_images_to_choose_on_are_of_one_step_alone(
    sources: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prepare(sources, steps=[[2], [3]])
    assert with_images_to_choose_on(sources) == 2
    assert "statistics.validation is 'images'" in capsys.readouterr().err


@pytest.mark.parametrize("given", ["none", 0, 2.5, True])
def test_what_is_neither_images_nor_a_number_of_samples_is_refused(
    sources: Path, capsys: pytest.CaptureFixture[str], given: object
) -> None:
    Project(sources).set({"statistics.validation": given})
    assert run.main(["statistics"]) == 2
    said = capsys.readouterr().err
    assert "statistics.validation is " in said
    assert "images or a whole number from 1 accepted" in said
