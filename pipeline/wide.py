"""The wide network: its two tasks, half of the classes each, and the ways from one to the other."""

from collections.abc import Callable, Sequence
from copy import deepcopy
from pathlib import Path

import torch
from torch import Tensor, nn

from pipeline import adapters, artifacts, models
from pipeline.datasets import Labelled, merge
from pipeline.errors import InputError
from pipeline.models import Classifier

LAYERS = ("dense_1", "dense_2", "output")
KIND, WEIGHTS = "trained weights", "weights.safetensors"


def halves(part: Labelled, first: Sequence[int]) -> tuple[Labelled, Labelled]:
    """Images of the first classes, and of the others, both relabelled 0, 1, ….

    Raises:
        InputError: unless the first classes are half of all.
    """
    others = [label for label in range(len(part.classes)) if label not in first]
    if len(set(first)) != len(first) or len(first) != len(others):
        raise InputError(
            f"params.yaml: wide_pretrain.classes is {list(first)}; accepted is one half of the "
            f"classes 0…{len(part.classes) - 1}"
        )
    return part.only(first), part.only(others)


def training_data() -> Labelled:
    """The training images of all classes.

    Raises:
        InputError: if a file is missing or damaged.
    """
    return merge(
        Labelled.load("data/split/old_train.safetensors"),
        Labelled.load("data/split/new_train.safetensors"),
    )


def names(ranks: Sequence[int]) -> list[str]:
    """The contenders: `full`, `last_layer`, and LoRA at every rank."""
    return ["full", "last_layer", *(f"rank_{rank}" for rank in ranks)]


def folder(contender: str, published: bool) -> Path:
    """Where a contender's results are."""
    return Path("data/rank_sweep", "published" if published else "tuned", contender)


def untrained(
    contender: str, base: Classifier, dropout: float, scaling: Callable[[int, int], float]
) -> Classifier:
    """A copy of the base as a contender starts from it; what it trains requires a gradient.

    Args:
        contender: one of `names`.
        base: the network of the first task.
        dropout: of the hidden units in training.
        scaling: of an adapter's update, from its rank and the layer's inputs.
    """
    model = deepcopy(base)
    for layer in model.modules():
        if isinstance(layer, nn.Dropout):
            layer.p = dropout
    if contender == "last_layer":
        model.requires_grad_(False)
        output = model.head.get_submodule("output")
        models.initialise(output, "default")
        output.requires_grad_(True)
    elif contender != "full":
        rank = int(contender.removeprefix("rank_"))
        adapters.wrap(model, LAYERS, rank, alpha=rank, dropout=0.0)
        for _, layer in adapters.adapted(model):
            layer.scaling = scaling(rank, layer.base.in_features)
    return model


def trained(model: Classifier) -> dict[str, Tensor]:
    """The weights of a model that a training changes, by their names, on the CPU."""
    return {
        name: weight.detach().cpu()
        for name, weight in model.named_parameters()
        if weight.requires_grad
    }


def save(place: Path, model: Classifier) -> None:
    """Saves what has to be kept beyond the base: an adapter, or the weights that were trained.

    Raises:
        InputError: if a file can't be written.
    """
    if adapters.adapted(model):
        adapters.save(place, model)
        return
    artifacts.save_tensors(place / WEIGHTS, trained(model), {"kind": KIND})


def stored_bytes(place: Path) -> int:
    """The size of the files that `save` wrote."""
    files = (WEIGHTS, adapters.WEIGHTS, adapters.CONFIG)
    return sum((place / name).stat().st_size for name in files if (place / name).exists())


def load(place: Path, base: Classifier) -> Classifier:
    """A copy of the base with what `save` saved; a loaded adapter is not merged.

    Raises:
        InputError: if a file is missing or damaged.
    """
    model = deepcopy(base)
    if (place / WEIGHTS).exists():
        arrays, _ = artifacts.load_tensors(place / WEIGHTS, KIND)
        weights = {name: torch.from_numpy(array) for name, array in arrays.items()}
        if unexpected := model.load_state_dict(weights, strict=False).unexpected_keys:
            raise InputError(f"{place}: holds {unexpected[0]}, which this model hasn't")
    else:
        adapters.load(place, model)
    return model.eval()
