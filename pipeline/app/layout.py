"""A model in a folder of its own: `model.safetensors`, and `config.json` in the layout of timm.

`config.json` has timm's keys (`architecture`, `num_classes`, `pretrained_cfg` with `label_names`),
and below `retain` what `predict` and `gate` need.
"""

import json
from pathlib import Path
from typing import Any

from torch import nn

from pipeline.app.models import Predictor
from pipeline.core import artifacts
from pipeline.core.errors import InputError
from pipeline.learning import models
from pipeline.new_class.card import Card

WEIGHTS, CONFIG = "model.safetensors", "config.json"
OWN = "retain"
"""The key below which our own part of the configuration stands."""


def save(folder: Path, predictor: Predictor) -> None:
    """Saves a model as it predicts, at its strength.

    The weights of a network that is built here are in our own layout, with their description.
    """
    models.save(folder / WEIGHTS, predictor.model)
    content = json.dumps(config(predictor), indent=2, ensure_ascii=False)
    artifacts.save_bytes(folder / CONFIG, f"{content}\n".encode())


def config(predictor: Predictor) -> dict[str, Any]:
    """The content of `config.json`."""
    card = predictor.card
    only = {predictor.method: card.models[predictor.method]}
    return {
        "architecture": f"{OWN}_{predictor.model.description['network']}",
        "num_classes": len(card.classes),
        "num_features": _width(predictor),
        "pretrained_cfg": {
            "input_size": card.shape,
            "num_classes": len(card.classes),
            "label_names": card.classes,
        },
        OWN: {
            "method": predictor.method,
            "strength": predictor.strength,
            "card": card.model_copy(update={"models": only}).model_dump(),
        },
    }


def load(folder: Path) -> Predictor:
    """Loads what `save` saved, at the strength that it had.

    Raises:
        InputError: if it is no such folder.
    """
    content = artifacts.load_json(folder / CONFIG)
    try:
        own = content[OWN]
        method, strength, card = own["method"], own["strength"], own["card"]
    except (KeyError, TypeError):
        raise InputError(f"{folder / CONFIG}: no model that `export` wrote") from None
    told = Card.of(card, folder / CONFIG)
    if method not in told.models:
        raise InputError(f"{folder / CONFIG}: no model that `export` wrote")
    model = models.load(folder / WEIGHTS)
    return Predictor(method, told, model, strength)


def named(word: str) -> Predictor:
    """Loads a model of the run by its name, or one from a folder that `export` made.

    Raises:
        InputError: if it is neither.
    """
    return load(Path(word)) if Path(word).is_dir() else Predictor.load(word)


def _width(predictor: Predictor) -> int:
    """How many features the head takes."""
    first = next(layer for layer in predictor.model.head.modules() if isinstance(layer, nn.Linear))
    return first.in_features
