"""What a method has learned, put back onto the model that it started from."""

from pathlib import Path
from typing import NamedTuple

from pipeline.core import artifacts
from pipeline.learning import changes, rows
from pipeline.learning.networks import Classifier

TRAINED = "trained"
"""In the folder of a method, what a next step goes on from, where another model answers."""


class Restored(NamedTuple):
    """What a method has learned.

    Attributes:
        model: ready to use, at its chosen strength.
        tuned: the same at strength 1, if a strength was chosen.
        trained: what a next step goes on from; mostly the same as `model`.
    """

    model: Classifier
    tuned: Classifier | None
    trained: Classifier


def restore(folder: Path, base: Classifier) -> Restored:
    """Loads what a method saved.

    What saved it is imported where there is something of its own, for a method's stage depends on
    no other method's techniques.

    Args:
        folder: of the method.
        base: the model that it started from.
    """
    facts = artifacts.load_json(folder / "facts.json")
    if any(folder.glob("row_*.safetensors")):
        tuned = rows.restore(folder, base)
        assert tuned is not None
    elif (folder / "adapter_model.safetensors").exists():
        from pipeline.techniques import adapters

        tuned = adapters.load(folder, base)
        adapters.set_strength(tuned, 1)
        adapters.merge(tuned)
    else:
        tuned = changes.load(folder, base)
    if (folder / TRAINED).exists():
        return Restored(tuned, None, changes.load(folder / TRAINED, tuned))
    if "strength" not in facts:
        return Restored(tuned, None, tuned)
    from pipeline.techniques.strength import interpolate

    model = interpolate(base, tuned, facts["strength"])
    return Restored(model, tuned, model)
