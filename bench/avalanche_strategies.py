"""Strategies of Avalanche (arXiv 2302.01766), from our base, on the classes that ours learn."""

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from avalanche.benchmarks.scenarios.supervised import class_incremental_benchmark
from avalanche.training.plugins import EvaluationPlugin
from avalanche.training.supervised import EWC, LwF, Replay, StreamingLDA
from avalanche.training.templates import SupervisedTemplate
from torch import Tensor, nn
from torch.utils.data import TensorDataset

from pipeline.core import labelled
from pipeline.core.labelled import Labelled
from pipeline.learning import models, training
from pipeline.learning.networks import Classifier
from pipeline.new_class.evaluation import continual

BATCH, EPOCHS, LEARNING_RATE = 128, 5, 1e-3
"""Those of our replay, with Adam, as in the library's examples; nothing was tuned."""
IMAGES = 200
"""That Replay keeps in all, the library's default: 20 a class in the end."""
PENALTY = 0.4
"""Of EWC, as in the library's example."""
DISTILLATION, TEMPERATURE = 1.0, 2.0
"""Of LwF, as in the paper (arXiv 1606.09282)."""

Strategy = Callable[[Classifier], SupervisedTemplate]


def _trained(kind: Callable[..., SupervisedTemplate], **settings: float) -> Strategy:
    def strategy(model: Classifier) -> SupervisedTemplate:
        return kind(
            model=model,
            optimizer=torch.optim.Adam(model.parameters(), LEARNING_RATE),
            criterion=nn.CrossEntropyLoss(),
            train_mb_size=BATCH,
            evaluator=EvaluationPlugin(),
            **settings,
        )

    return strategy


def _streaming_lda(model: Classifier) -> SupervisedTemplate:
    return StreamingLDA(
        slda_model=model.trunk,
        criterion=nn.CrossEntropyLoss(),
        input_size=model.trunk(torch.zeros(1, *model.description["shape"])).shape[1],
        num_classes=model.description["classes"],
        train_mb_size=BATCH,
        evaluator=EvaluationPlugin(),
    )


class Images(TensorDataset):
    """Images and labels, which Avalanche asks for by the name that torchvision gives them."""

    @property
    def targets(self) -> list[int]:
        return list(self.tensors[1].tolist())


STRATEGIES: Mapping[str, Strategy] = {
    "Replay": _trained(Replay, mem_size=IMAGES),
    "EWC": _trained(EWC, ewc_lambda=PENALTY),
    "LwF": _trained(LwF, alpha=DISTILLATION, temperature=TEMPERATURE),
    "SLDA": _streaming_lda,
}


def learn(name: str, project: str, seed: int) -> dict[str, float]:
    """Lets a strategy learn the classes of a project's steps one after another.

    The first time it gets the old classes, for what it keeps of them: the network, which knows
    them, is not trained on them again.

    Args:
        name: one of `STRATEGIES`.
        project: in which the stages up to `pretrain` have run.
        seed: of all that is drawn.

    Returns:
        The `seconds` of the steps, the `accuracy` on all test images, and `continual.measures`.
    """
    torch.manual_seed(seed)
    data = Path(project, "data")
    old, new = (Labelled.load(data / f"split/{part}_train") for part in ("old", "new"))
    test = Labelled.load(data / "images/test").named(old.classes)
    test = test._replace(new=old.new, steps=old.steps)
    images = torch.from_numpy(test.inputs[:])
    model = models.load(data / "base/model.safetensors")
    strategy = STRATEGIES[name](model)
    lda = isinstance(strategy, StreamingLDA)

    def answers() -> Any:
        given = strategy.predict(features()) if lda else training.predict(model, images)
        return given.argmax(1).numpy()

    def features() -> Tensor:
        return training.predict(model.trunk, images)

    answered = [training.predict(model, images).argmax(1).numpy()]
    experiences = _experiences(labelled.merge(old, new), continual.tasks(test))
    strategy.train_epochs = 1 if lda else 0
    strategy.train(experiences[0])
    strategy.train_epochs = 1 if lda else EPOCHS
    seconds = 0.0
    for experience in experiences[1:]:
        start = time.perf_counter()
        strategy.train(experience)
        seconds += time.perf_counter() - start
        answered.append(answers())
    accuracy = float((answered[-1] == test.labels).mean())
    measured = continual.measures(continual.matrix(answered, test), len(test.classes))
    return {"seconds": seconds, "accuracy": accuracy, **measured}


def _experiences(images: Labelled, tasks: Sequence[Sequence[int]]) -> Sequence[Any]:
    """Avalanche's form of the images of some classes after those of others."""
    data = Images(torch.from_numpy(images.inputs[:]), torch.from_numpy(images.labels[:]))
    stream = class_incremental_benchmark(
        {"train": data},
        class_order=[label for task in tasks for label in task],
        num_classes_per_exp=[len(task) for task in tasks],
    )
    return list(stream.train_stream)
