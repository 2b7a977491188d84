"""A run of the first question in seconds: small networks, trained on the bundled digits."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import chdir, contextmanager
from copy import deepcopy
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from pipeline.app import taught
from pipeline.app.models import Predictor
from pipeline.app.taught import Kept
from pipeline.core import params
from pipeline.core import run as stages
from pipeline.core.labelled import Labelled
from pipeline.learning import loading, models, networks, training
from pipeline.learning.training import Recipe
from pipeline.learning.validation import Validation
from pipeline.new_class import results
from pipeline.sources import catalogue
from pipeline.techniques import adapters
from pipeline.techniques.statistics.gaussians import Gaussians
from pipeline.techniques.statistics.new_row import NewRow
from pipeline.techniques.statistics.ridge import Projection, Sums
from pipeline.techniques.statistics.slda import Moments
from tests.project import Project, copy_sources, hear_ctrl_c

CPU = torch.device("cpu")
STAGES = ["new_row", "slda"]
"""Methods that take so little time that their own stages run."""
CHANGES = {"data.source": "digits", "methods": ["lora", "replay", *STAGES]}


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A copy of the project with a base, methods and what `evaluate` says; not to be changed.

    It knows the digits 1 to 9; the new one is 0.
    """
    project = Project(tmp_path_factory.mktemp("run"))
    copy_sources(project.folder)
    project.set(CHANGES)
    with chdir(project.folder):
        _train()
        for stage in (*STAGES, "evaluate"):
            assert stages.main([stage]) == 0
    return project


@pytest.fixture
def run(finished_run: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """That run, in the current directory; not to be changed."""
    monkeypatch.chdir(finished_run.folder)
    return finished_run


@pytest.fixture(scope="session")
def pictures(finished_run: Project) -> Path:
    """A folder of some test images of each digit as PNG: `0/17.png` is a zero."""
    folder = finished_run.folder / "photos"
    test = Labelled.load(finished_run.folder / "data/images/test")
    for label in range(10):
        (folder / str(label)).mkdir(parents=True)
        for place in np.flatnonzero(test.labels == label)[:10]:
            image = np.ascontiguousarray(test.inputs[place, 0])
            Image.fromarray(image).save(folder / str(label) / f"{place}.png")
    return folder


def _train() -> None:
    train, test = (part._replace(new=[0]) for part in catalogue.load("digits"))
    rows = np.random.default_rng(0).permutation(len(train.labels))
    validation, train = train.where(rows[:300]), train.where(rows[300:])
    test._replace(new=[]).save("data/images/test")
    of_new = validation.is_new
    for name, chosen in (("old", ~of_new), ("new", of_new)):
        validation.where(chosen).save(f"data/split/{name}_validation")
    torch.manual_seed(0)
    base = networks.cnn((1, 28, 28), 10, 0.0, channels=(8, 16, 16), hidden=(32,))
    old = train.where(~train.is_new)
    models.initialise(base, "he")
    known = validation.where(~validation.is_new)
    results.save_base(base, _fit(base, old, known, 8))

    lora, replay = deepcopy(base), deepcopy(base)
    adapters.wrap(lora.head, "auto", 2, 2.0, 0.0)
    for model in (lora, replay):
        model.trunk.requires_grad_(False)
    curve = _fit(lora, train, validation, 2)
    adapters.save("data/methods/lora", lora)
    results.save("replay", replay, base, kept_bytes=1000, curve=_fit(replay, train, validation, 2))

    new = train.where(train.is_new)
    new.save("data/split/new_train")
    inputs = training.predict(base.trunk, torch.from_numpy(new.inputs)).numpy()
    new._replace(inputs=inputs).save("data/features/new_train")
    features = training.predict(base.trunk, torch.from_numpy(old.inputs))
    labels = torch.from_numpy(old.labels)
    projection = Projection(0, 50)
    held_out = training.predict(base.trunk, torch.from_numpy(validation.inputs)).numpy()
    known_features = validation._replace(inputs=held_out)
    for name, chosen in (("old", ~of_new), ("new", of_new)):
        known_features.where(chosen).save(f"data/features/{name}_validation")
    gaussians = Gaussians.of(features, labels, 3)
    gaussians.save("data/statistics/gaussians.safetensors")
    gaussians.save_samples("data/statistics/validation", 30, old)
    Moments.of(features, labels).save("data/statistics/moments.safetensors")
    Sums.of(projection, features, labels, 10).save("data/statistics/sums.safetensors", 0)
    results.save_about("lora", lora, curve=curve, strength=1.0, strengths=[0.0, 1.0])


def _fit(
    model: networks.Classifier, train: Labelled, validation: Labelled, epochs: int
) -> training.Curve:
    recipe = Recipe(
        batch=64, optimizer="adam", schedule="constant", weight_decay=0.0, label_smoothing=0.0,
        epochs=epochs, learning_rate=8e-3, patience=9,
    )  # fmt: skip
    return training.fit(
        model, *loading.tensors(CPU, train), recipe, Validation.of(validation, "overall", CPU)
    )


@pytest.fixture(scope="session")
def taught_file(finished_run: Project, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of the class `zero`, which that run's base was taught."""
    test = Labelled.load(finished_run.folder / "data/images/test")
    images = list(np.asarray(test.inputs[test.labels == 0][:3]))
    with chdir(finished_run.folder):
        settings = NewRow(**params.read()["new_row"])
        zero = taught.teach(Predictor.load(), images, "zero", Kept.load(), settings, 0)
    path = tmp_path_factory.mktemp("taught") / "zero.safetensors"
    path.write_bytes(zero.to_bytes())
    return path


Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def command(run: Project, capfd: pytest.CaptureFixture[str]) -> Command:
    """Runs `python -m pipeline` here: the exit code, and what it printed on stdout and stderr."""
    from pipeline.__main__ import main

    def called(*words: str | Path) -> tuple[int, str, str]:
        capfd.readouterr()
        code = main([str(word) for word in words])
        return code, *capfd.readouterr()

    return called


@pytest.fixture(scope="session")
def address(finished_run: Project) -> Iterator[str]:
    """Where `python -m pipeline serve` serves that run."""
    with serving(finished_run.folder) as (_, found):
        yield found


@contextmanager
def serving(folder: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A process that serves a run, and its address."""
    command = [sys.executable, "-m", "pipeline", "serve", "--port", "0"]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, cwd=folder, stdout=pipe, stderr=pipe, text=True, preexec_fn=hear_ctrl_c
    ) as process:
        assert process.stdout is not None
        try:
            yield process, process.stdout.readline().split()[0]
        finally:
            process.kill()
