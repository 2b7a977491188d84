"""Linear discriminant analysis from sums that grow class by class."""

from pathlib import Path

import pytest
import torch
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from torch import Tensor

from pipeline.techniques.statistics.slda import Moments


def features() -> tuple[Tensor, Tensor]:
    """Three classes, not in order, with a covariance in common."""
    torch.manual_seed(0)
    labels = torch.arange(600) % 3
    return torch.randn(600, 5) @ torch.randn(5, 5) + torch.randn(3, 5)[labels] * 2, labels


@pytest.mark.parametrize("shrinkage", [0.0, 0.3])
def test_class_after_class_is_the_analysis_of_all(shrinkage: float) -> None:
    inputs, labels = features()
    moments = [Moments.of(inputs[labels == label], labels[labels == label]) for label in (2, 0, 1)]
    weight, bias, classes = moments[0].plus(moments[1]).plus(moments[2]).classifier(shrinkage)
    trusted = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=shrinkage)
    trusted.fit(inputs.double().numpy(), labels.numpy())
    assert classes.tolist() == [0, 1, 2]
    own = (inputs.double() @ weight.T + bias).log_softmax(1)
    expected = torch.from_numpy(trusted.predict_log_proba(inputs.double().numpy()))
    torch.testing.assert_close(own, expected, atol=1e-6, rtol=1e-6)


def test_kept_file_comes_back(tmp_path: Path) -> None:
    moments = Moments.of(*features())
    moments.save(tmp_path / "x")
    loaded = Moments.load(tmp_path / "x")
    torch.testing.assert_close(loaded, moments, rtol=1e-6, atol=1e-6)
    assert torch.equal(loaded.scatter, loaded.scatter.T)
