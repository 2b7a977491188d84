"""LoRA (arXiv 2106.09685): wrap, set strength, merge, save and load."""

import json
from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path
from typing import Literal, cast

import torch
from torch import Tensor, nn

from pipeline.core import artifacts
from pipeline.core.errors import InputError
from pipeline.learning import changes, models
from pipeline.learning.networks import Classifier

WEIGHTS, CONFIG = "adapter_model.safetensors", "adapter_config.json"
PREFIX = "base_model.model."
KIND = "a LoRA adapter"
Layer = nn.Linear | nn.Conv2d


class Adapter(nn.Module):
    """A frozen layer plus a trainable change of it: `base(x) + strength · scaling · change(x)`.

    A new one changes nothing; at strength 0 it is the frozen layer, bit for bit.
    """

    def __init__(self, base: Layer, scaling: float):
        super().__init__()
        self.base = base
        self.scaling = scaling
        self.strength = 1.0
        base.requires_grad_(False)

    def forward(self, inputs: Tensor) -> Tensor:
        outputs: Tensor = self.base(inputs)
        if self.strength == 0:
            return outputs
        changed: Tensor = outputs + (self.strength * self.scaling) * self.change(inputs)
        return changed

    def change(self, inputs: Tensor) -> Tensor:
        """What the change adds to the outputs at strength and scaling 1."""
        raise NotImplementedError

    def changes(self) -> dict[str, Tensor]:
        """What the change adds to the layer's parameters, by their names, likewise."""
        raise NotImplementedError

    def merged(self) -> Layer:
        """A plain layer with the change added to its weights."""
        layer = deepcopy(self.base)
        with torch.no_grad():
            for name, change in self.changes().items():
                layer.get_parameter(name).add_((self.strength * self.scaling) * change)
        return layer


class LoRALayer(Adapter):
    """A change that is the product of two small matrices, `(alpha / r) · B A x`.

    A is Kaiming-uniform and B zero. Of a convolution, A is one to r channels, and B one of 1×1
    from these, as in PEFT.
    """

    def __init__(self, base: Layer, r: int, alpha: float, dropout: float):
        super().__init__(base, alpha / r)
        device = base.weight.device
        self.lora_A: Layer
        self.lora_B: Layer
        if isinstance(base, nn.Linear):
            self.lora_A = nn.Linear(base.in_features, r, bias=False, device=device)
            self.lora_B = nn.Linear(r, base.out_features, bias=False, device=device)
        else:
            kernel, stride = (cast(tuple[int, int], x) for x in (base.kernel_size, base.stride))
            padding = cast(tuple[int, int] | str, base.padding)
            self.lora_A = nn.Conv2d(
                base.in_channels, r, kernel, stride, padding, bias=False, device=device
            )
            self.lora_B = nn.Conv2d(r, base.out_channels, 1, bias=False, device=device)
        self.dropout = nn.Dropout(dropout)
        nn.init.kaiming_uniform_(self.lora_A.weight, a=5**0.5)
        nn.init.zeros_(self.lora_B.weight)

    def change(self, inputs: Tensor) -> Tensor:
        return cast(Tensor, self.lora_B(self.lora_A(self.dropout(inputs))))

    def changes(self) -> dict[str, Tensor]:
        product = self.lora_B.weight.flatten(1) @ self.lora_A.weight.flatten(1)
        return {"weight": product.view(self.base.weight.shape)}


class WholeLayer(Adapter):
    """A change of all weights of a dense layer, as of the output beside adapters of a trunk.

    It is PEFT's `modules_to_save`, but for its strength.
    """

    def __init__(self, base: nn.Linear):
        super().__init__(base, 1.0)
        self.delta = deepcopy(base).requires_grad_(True)
        for weight in self.delta.parameters():
            nn.init.zeros_(weight)

    def change(self, inputs: Tensor) -> Tensor:
        return cast(Tensor, self.delta(inputs))

    def changes(self) -> dict[str, Tensor]:
        return dict(self.delta.named_parameters())


def wrap(
    model: nn.Module,
    targets: Sequence[str] | Literal["auto"],
    r: int,
    alpha: float,
    dropout: float,
    whole: Sequence[str] = (),
) -> None:
    """Freezes a model and puts an adapter on each of its target layers, in place.

    Args:
        model: any.
        targets: names of dense layers or convolutions; `auto` is all dense layers.
        r: rank.
        alpha: the update is scaled by alpha / r.
        dropout: share of an adapter's inputs dropped in training.
        whole: names of dense layers all of whose weights are trained.
    """
    model.requires_grad_(False)
    if targets == "auto":
        targets = [name for name, each in model.named_modules() if isinstance(each, nn.Linear)]
    for name in targets:
        layer = cast(Layer, model.get_submodule(name))
        model.set_submodule(name, LoRALayer(layer, r, alpha, dropout))
    for name in whole:
        model.set_submodule(name, WholeLayer(cast(nn.Linear, model.get_submodule(name))))


def set_strength(model: nn.Module, strength: float) -> None:
    """Multiplies the update of every adapter: 0 is the base model, 1 the model as trained."""
    for layer in _all(model).values():
        layer.strength = strength


def merge(model: nn.Module) -> None:
    """Replaces every adapter, in place, by a plain layer that computes the same."""
    for name, layer in _all(model).items():
        model.set_submodule(name, layer.merged())


def save(folder: Path | str, model: Classifier) -> None:
    """Saves a model's adapters in the layout of the PEFT library, their strength within alpha.

    PEFT has one alpha for all: where the layers' scalings differ, B makes up for it. Layers that
    are changed as a whole stand there at their strength, and their changes beside them.
    """
    adapters = adapted(model)
    first = adapters[0][1]
    weights: dict[str, Tensor] = {}
    whole: list[str] = []
    before = deepcopy(model)
    for name, layer in _all(before).items():
        before.set_submodule(name, layer.base)
        if isinstance(layer, WholeLayer):
            whole.append(name)
            for part, weight in layer.merged().named_parameters():
                weights[f"{PREFIX}{name}.{part}"] = weight.detach().cpu()
            for part, weight in layer.delta.named_parameters():
                weights[f"{PREFIX}{name}.delta.{part}"] = weight.detach().cpu()
    for name, layer in adapters:
        own = layer.scaling / first.scaling
        weights[f"{PREFIX}{name}.lora_A.weight"] = layer.lora_A.weight.detach().cpu()
        weights[f"{PREFIX}{name}.lora_B.weight"] = own * layer.lora_B.weight.detach().cpu()
    config = {
        "peft_type": "LORA",
        "r": len(first.lora_A.weight),
        "lora_alpha": first.strength * first.scaling * len(first.lora_A.weight),
        "lora_dropout": first.dropout.p,
        "target_modules": sorted(name for name, _ in adapters),
        "bias": "none",
        "fan_in_fan_out": False,
        "inference_mode": True,
        "init_lora_weights": True,
        "base_model_name_or_path": None,
        "task_type": None,
        **({"modules_to_save": whole} if whole else {}),
    }
    # Beside PEFT's one alpha, so that what comes back has the same bits.
    about = {
        "kind": KIND,
        "scaling": first.scaling,
        "strength": first.strength,
        "trunk": models.trunk_name(before.trunk),
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
    whole = config.get("modules_to_save") or []
    model = deepcopy(base)
    layers = dict(model.named_modules())
    if missing := [name for name in [*config["target_modules"], *whole] if name not in layers]:
        raise InputError(f"{path}: holds {missing[0]}, which this model hasn't")
    alpha, dropout = config["lora_alpha"], config["lora_dropout"]
    wrap(model, config["target_modules"], config["r"], alpha, dropout, whole)
    for _, layer in adapted(model):
        layer.scaling = about["scaling"]
    set_strength(model, about["strength"])
    merged = {f"{PREFIX}{name}.{part}" for name in whole for part in ("weight", "bias")}
    weights = {
        name.removeprefix(PREFIX): torch.from_numpy(array)
        for name, array in arrays.items()
        if name not in merged
    }
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


def adapted(model: nn.Module) -> list[tuple[str, LoRALayer]]:
    """The low-rank adapters of a model, with their names in it."""
    return [(name, layer) for name, layer in model.named_modules() if isinstance(layer, LoRALayer)]


def _all(model: nn.Module) -> dict[str, Adapter]:
    return {name: layer for name, layer in model.named_modules() if isinstance(layer, Adapter)}
