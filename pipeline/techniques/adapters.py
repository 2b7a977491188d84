"""LoRA (arXiv 2106.09685): wrap, set strength, merge, save and load."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from pipeline.core import artifacts
from pipeline.core.errors import InputError
from pipeline.core.params import Distinct
from pipeline.learning import changes, models
from pipeline.learning.networks import Classifier

WEIGHTS, CONFIG = "adapter_model.safetensors", "adapter_config.json"
PREFIX = "base_model.model."
KIND = "a LoRA adapter"


class LoRALinear(nn.Module):
    """A frozen dense layer plus a trainable product of two small matrices.

    It computes `W x + b + strength · (alpha / r) · B A x`. A is Kaiming-uniform and B zero, so that
    a new adapter changes nothing; at strength 0 it is the frozen layer, bit for bit.
    """

    def __init__(self, base: nn.Linear, r: int, alpha: float, dropout: float):
        super().__init__()
        self.base = base
        device = base.weight.device
        self.lora_A = nn.Linear(base.in_features, r, bias=False, device=device)
        self.lora_B = nn.Linear(r, base.out_features, bias=False, device=device)
        self.dropout = nn.Dropout(dropout)
        self.scaling = alpha / r
        self.strength = 1.0
        nn.init.kaiming_uniform_(self.lora_A.weight, a=5**0.5)
        nn.init.zeros_(self.lora_B.weight)
        base.requires_grad_(False)

    def forward(self, inputs: Tensor) -> Tensor:
        outputs: Tensor = self.base(inputs)
        if self.strength == 0:
            return outputs
        update = self.lora_B(self.lora_A(self.dropout(inputs)))
        changed: Tensor = outputs + (self.strength * self.scaling) * update
        return changed

    def merged(self) -> nn.Linear:
        """A plain dense layer with the update added to its weights."""
        layer = deepcopy(self.base)
        with torch.no_grad():
            update = self.lora_B.weight @ self.lora_A.weight
            layer.weight += (self.strength * self.scaling) * update
        return layer


Targets = Annotated[list[str], Field(min_length=1), Distinct] | Literal["auto"]
"""Names of dense layers; `auto` is all of them."""


def wrap(model: nn.Module, targets: Targets, r: int, alpha: float, dropout: float) -> None:
    """Freezes a model and puts an adapter on each of its target layers, in place.

    Args:
        model: with dense layers.
        targets: names of dense layers, or of their last parts, as in PEFT's `target_modules`.
            `auto` is all of them.
        r: rank.
        alpha: the update is scaled by alpha / r.
        dropout: share of an adapter's inputs dropped in training.

    Raises:
        InputError: if a target is not the name of a dense layer, or none is as wide as the rank.
    """
    model.requires_grad_(False)
    chosen: dict[str, nn.Linear] = {}
    dense = {name: layer for name, layer in model.named_modules() if isinstance(layer, nn.Linear)}
    for target in list(dense) if targets == "auto" else targets:
        names = [name for name in dense if name == target or name.endswith(f".{target}")]
        if not names:
            accepted = ", ".join(name.rpartition(".")[2] for name in dense)
            raise InputError(f"params.yaml: no dense layer is named {target}; accepted: {accepted}")
        chosen |= {name: dense[name] for name in names}
    widest = max(min(layer.in_features, layer.out_features) for layer in chosen.values())
    if r > widest:
        raise InputError(f"params.yaml: rank {r} is above {widest}, what the targets can have")
    for name, layer in chosen.items():
        model.set_submodule(name, LoRALinear(layer, r, alpha, dropout))


def set_strength(model: nn.Module, strength: float) -> None:
    """Multiplies the update of every adapter: 0 is the base model, 1 the model as trained."""
    for _, layer in adapted(model):
        layer.strength = strength


def merge(model: nn.Module) -> None:
    """Replaces every adapter, in place, by a plain dense layer that computes the same."""
    for name, layer in adapted(model):
        model.set_submodule(name, layer.merged())


def save(folder: Path | str, model: Classifier) -> None:
    """Saves a model's adapters in the layout of the PEFT library, their strength within alpha.

    PEFT has one alpha for all: where the layers' scalings differ, B makes up for it.
    """
    adapters = adapted(model)
    first = adapters[0][1]
    weights = {}
    for name, layer in adapters:
        own = layer.scaling / first.scaling
        weights[f"{PREFIX}{name}.lora_A.weight"] = layer.lora_A.weight.detach().cpu()
        weights[f"{PREFIX}{name}.lora_B.weight"] = own * layer.lora_B.weight.detach().cpu()
    config = {
        "peft_type": "LORA",
        "r": first.lora_A.out_features,
        "lora_alpha": first.strength * first.scaling * first.lora_A.out_features,
        "lora_dropout": first.dropout.p,
        "target_modules": sorted(name for name, _ in adapters),
        "bias": "none",
        "fan_in_fan_out": False,
        "inference_mode": True,
        "init_lora_weights": True,
        "base_model_name_or_path": None,
        "task_type": None,
    }
    # Beside PEFT's one alpha, so that what comes back has the same bits.
    about = {
        "kind": KIND,
        "scaling": first.scaling,
        "strength": first.strength,
        "trunk": models.trunk_name(model.trunk),
    }
    artifacts.save_tensors(Path(folder) / WEIGHTS, weights, about)
    artifacts.save_bytes(Path(folder) / CONFIG, f"{json.dumps(config, indent=2)}\n".encode())


def load(folder: Path | str, base: Classifier) -> Classifier:
    """A copy of the base with the adapters that `save` saved, not merged, ready to predict.

    Raises:
        InputError: if they belong to another base.
    """
    path = Path(folder) / WEIGHTS
    config = artifacts.load_json(Path(folder) / CONFIG)
    arrays, about = artifacts.load_tensors(path, KIND)
    changes.belongs(path, about["trunk"], base)
    model = deepcopy(base)
    wrap(model, config["target_modules"], config["r"], config["lora_alpha"], config["lora_dropout"])
    for _, layer in adapted(model):
        layer.scaling, layer.strength = about["scaling"], about["strength"]
    weights = {name.removeprefix(PREFIX): torch.from_numpy(array) for name, array in arrays.items()}
    if unexpected := model.load_state_dict(weights, strict=False).unexpected_keys:
        raise InputError(f"{path}: holds {unexpected[0]}, which this model hasn't")
    return model.eval()


def restore(folder: Path | str, base: Classifier) -> Classifier:
    """A copy of the base with what was saved of a training: adapters, or changed weights."""
    folder = Path(folder)
    return (load if (folder / WEIGHTS).exists() else changes.load)(folder, base)


def stored_bytes(folder: Path | str) -> int:
    """The size of what was saved of a training."""
    files = (Path(folder) / name for name in (changes.WEIGHTS, WEIGHTS, CONFIG))
    return sum(file.stat().st_size for file in files if file.exists())


def adapted(model: nn.Module) -> list[tuple[str, LoRALinear]]:
    """The adapters of a model, with their names in it."""
    return [(name, layer) for name, layer in model.named_modules() if isinstance(layer, LoRALinear)]
