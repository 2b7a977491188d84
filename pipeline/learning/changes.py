"""What a training changed in a model: all that is stored of it beside its base."""

from pathlib import Path

import torch

from pipeline.core import artifacts
from pipeline.core.errors import InputError
from pipeline.learning import models
from pipeline.learning.networks import Classifier

KIND, WEIGHTS = "changed weights", "weights.safetensors"


def save(folder: Path | str, model: Classifier, base: Classifier) -> None:
    """Saves the weights that the base hasn't or has otherwise, and names the base's trunk."""
    before = base.state_dict()
    weights = {
        name: weight.detach().cpu()
        for name, weight in model.state_dict().items()
        if name not in before or not _equal(weight, before[name])
    }
    about = {"kind": KIND, "trunk": models.trunk_name(base.trunk), "network": model.description}
    artifacts.save_tensors(Path(folder) / WEIGHTS, weights, about)


def load(folder: Path | str, base: Classifier) -> Classifier:
    """A copy of the base with what `save` saved, on the CPU, ready to predict.

    Raises:
        InputError: if it belongs to another base.
    """
    path = Path(folder) / WEIGHTS
    arrays, about = artifacts.load_tensors(path, KIND)
    belongs(path, about["trunk"], base)
    try:
        model = models.build(about["network"])
        shapes = {name: weight.shape for name, weight in model.state_dict().items()}
        kept = {
            name: weight
            for name, weight in base.state_dict().items()
            if name not in arrays and shapes.get(name) == weight.shape
        }
        changed = {name: torch.from_numpy(array) for name, array in arrays.items()}
        model.load_state_dict(kept | changed)
    except (KeyError, TypeError, RuntimeError) as error:
        problem = " ".join(str(error).split())
        raise InputError(f"{path}: not of this base and version: {problem}") from None
    return model.eval()


def belongs(path: Path, trunk: str, base: Classifier) -> None:
    """Raises InputError unless a base has the trunk of that name."""
    if trunk != models.trunk_name(base.trunk):
        raise InputError(f"{path}: changes another trunk than that of the base beside it")


def _equal(one: torch.Tensor, other: torch.Tensor) -> bool:
    return torch.equal(one.detach().cpu(), other.detach().cpu())
