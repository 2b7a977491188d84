"""What a method has learned, put back onto the model that it started from."""

from pathlib import Path
from typing import NamedTuple

from pipeline.core import artifacts
from pipeline.learning import changes
from pipeline.learning.networks import Classifier

TRAINED = "trained"
"""In the folder of a method, what a next step goes on from, where another model answers."""


class Restored(NamedTuple):
    """What a method has learned.

    Attributes:
        model: ready to use, at its chosen strength.
        tuned: the same at strength 1, if a strength was chosen.
    """

    model: Classifier
    tuned: Classifier | None


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
        from pipeline.techniques import new_row

        tuned = new_row.restore(folder, base)
        assert tuned is not None
    elif (folder / "adapter_model.safetensors").exists():
        from pipeline.techniques import adapters

        tuned = adapters.load(folder, base)
        adapters.set_strength(tuned, 1)
        adapters.merge(tuned)
    else:
        tuned = changes.load(folder, base)
    if "strength" not in facts:
        return Restored(tuned, None)
    from pipeline.techniques.strength import interpolate

    return Restored(interpolate(base, tuned, facts["strength"]), tuned)


def next_base(folder: Path, base: Classifier) -> Classifier:
    """The model that a next step goes on from: as it answers, unless another one was saved."""
    model = restore(folder, base).model
    trained = folder / TRAINED
    return changes.load(trained, model) if trained.exists() else model
