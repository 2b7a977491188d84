"""A model in a folder of its own: `model.safetensors`, and `config.json` in the layout of timm.

Where timm has such a network, its `create_model` loads the folder (`local-dir:FOLDER`). Below
`retain` in `config.json` stands what `gate` needs.
"""

import json
from pathlib import Path
from typing import Any

from torch import nn

from pipeline.app import timms
from pipeline.app.models import Predictor
from pipeline.core import artifacts
from pipeline.core.errors import InputError
from pipeline.learning import models, rows
from pipeline.learning.rows import Rows
from pipeline.new_class.evaluation.card import Card

WEIGHTS, CONFIG = "model.safetensors", "config.json"
OWN = "retain"
"""The key below which our own part of the configuration stands."""


def save(folder: Path, predictor: Predictor) -> bool:
    """Saves a model as it predicts, at its strength.

    The weights of a network that timm has no place for are in our own layout, with their
    description; rows of new classes are then files beside that of the base.

    Returns:
        Whether timm loads the folder.
    """
    model = predictor.model
    timm_model = timms.network(model)
    if timm_model:
        content = timms.config(timm_model, predictor) | {OWN: _own(predictor)}
        artifacts.save_tensors(folder / WEIGHTS, timm_model.state_dict(), {"kind": timms.KIND})
    else:
        content = config(predictor)
        if isinstance(model.head, Rows):
            base = models.with_head(model, model.head.head)
            for column, row in model.head.rows.items():
                row.save(folder / rows.file(column), predictor.classes[column], base)
            model = base
        models.save(folder / WEIGHTS, model)
    text = json.dumps(content, indent=2, ensure_ascii=False)
    artifacts.save_bytes(folder / CONFIG, f"{text}\n".encode())
    return timm_model is not None


def config(predictor: Predictor) -> dict[str, Any]:
    """The content of `config.json` for a network that timm doesn't have."""
    card = predictor.card
    return {
        "architecture": f"{OWN}_{predictor.model.description['network']}",
        "num_classes": len(card.classes),
        "num_features": _width(predictor),
        "label_names": card.classes,
        "pretrained_cfg": {"input_size": card.shape},
        OWN: _own(predictor),
    }


def _own(predictor: Predictor) -> dict[str, Any]:
    card = predictor.card
    only = {predictor.method: card.models[predictor.method]}
    return {
        "method": predictor.method,
        "strength": predictor.strength,
        "card": card.model_copy(update={"models": only}).model_dump(),
        "network": predictor.model.description,
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
        own_layout = content["architecture"].startswith(OWN)
    except (AttributeError, KeyError, TypeError):
        raise InputError(f"{folder / CONFIG}: no model that `export` wrote") from None
    told = Card.of(card, folder / CONFIG)
    if method not in told.models:
        raise InputError(f"{folder / CONFIG}: no model that `export` wrote")
    if own_layout:
        base = models.load(folder / WEIGHTS)
        model = rows.restore(folder, base) or base
    else:
        model = timms.load(folder / WEIGHTS, content, own.get("network"))
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
