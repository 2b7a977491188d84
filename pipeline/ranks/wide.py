"""The wide network: its two tasks, of some classes each, and the ways from one to the other."""

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from torch import nn

from pipeline.core import artifacts, labelled
from pipeline.core.errors import InputError
from pipeline.core.labelled import Labelled
from pipeline.learning import models
from pipeline.learning.networks import Classifier
from pipeline.learning.training import Curve
from pipeline.techniques import adapters

BASE = Path("data/ranks/base")
SWEEP = Path("data/ranks/sweep")
FIRST, SECOND = "ranks.pretrain.classes", "ranks.sweep.classes"


@dataclass(frozen=True)
class Contender:
    """A way to adapt the wide network: all weights, a new last layer, or LoRA of some rank."""

    trains: Literal["full", "last_layer", "lora"]
    rank: int = 0

    @property
    def name(self) -> str:
        """As in tables, folders and seeds."""
        return f"rank_{self.rank}" if self.trains == "lora" else self.trains


def contenders(ranks: Sequence[int]) -> list[Contender]:
    """All contenders: LoRA at every rank, and the other two."""
    return [
        Contender("full"),
        Contender("last_layer"),
        *(Contender("lora", rank) for rank in ranks),
    ]


def first_task(part: Labelled, first: Sequence[str]) -> Labelled:
    """Images of the base's classes alone, relabelled 0, 1, ….

    Raises:
        InputError: if a class is not there, or named twice.
    """
    return part.only(labelled.indices(first, part.classes, FIRST))


def tasks(
    part: Labelled, first: Sequence[str], second: Sequence[str] | None
) -> tuple[Labelled, Labelled]:
    """Images of the base's classes, and of those that it is adapted to, each relabelled 0, 1, ….

    Args:
        part: images of all classes.
        first: the base's classes.
        second: the others; None: all others.

    Raises:
        InputError: if a class is not there, or in both, or the second task has no class, or more
            than the base has outputs.
    """
    known = first_task(part, first)
    others = [name for name in part.classes if name not in first]
    chosen = labelled.indices(others if second is None else second, part.classes, SECOND)
    if both := [part.classes[label] for label in chosen if part.classes[label] in first]:
        raise InputError(f"params.yaml: {SECOND} has {both[0]}, which {FIRST} has too")
    if not 0 < len(chosen) <= len(first):
        raise InputError(
            f"params.yaml: {FIRST} names {len(first)} classes, and the sweep is of {len(chosen)}; "
            f"1 to {len(first)} accepted, which {SECOND} may name"
        )
    return known, part.only(chosen)


def save_base(model: Classifier, classes: Sequence[str], curve: Curve) -> None:
    """Saves the network of the first classes, and its training."""
    models.save(BASE / "model.safetensors", model)
    artifacts.save_table(BASE / "curve.csv", curve)
    artifacts.save_json(BASE / "facts.json", {"classes": list(classes)})


def load_base() -> tuple[Classifier, list[str]]:
    """The network of the first classes, and their names."""
    classes: list[str] = artifacts.load_json(BASE / "facts.json")["classes"]
    return models.load(BASE / "model.safetensors"), classes


def swept() -> list[str]:
    """The names of the classes that the sweep has adapted the network to."""
    classes: list[str] = artifacts.load_json(SWEEP / "facts.json")["classes"]
    return classes


def untrained(
    contender: Contender, base: Classifier, dropout: float, scaling: Callable[[int, int], float]
) -> Classifier:
    """A copy of the base as a contender starts from it; what it trains requires a gradient.

    Args:
        contender: what is trained.
        base: the network of the first task.
        dropout: of the hidden units in training.
        scaling: of an adapter's update, from its rank and the layer's inputs.
    """
    model = deepcopy(base)
    for layer in model.modules():
        if isinstance(layer, nn.Dropout):
            layer.p = dropout
    if contender.trains == "last_layer":
        model.requires_grad_(False)
        output = model.head.get_submodule("output")
        models.initialise(output, "default")
        output.requires_grad_(True)
    elif contender.trains == "lora":
        adapters.wrap(model, "auto", contender.rank, alpha=contender.rank, dropout=0.0)
        for _, layer in adapters.adapted(model):
            layer.scaling = scaling(contender.rank, layer.lora_A.weight.shape[1])
    return model
