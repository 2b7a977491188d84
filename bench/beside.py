"""Our stages beside the systems that they repeat, measured in turn.

An original's time is that of one epoch of each of its trainings, times its epochs; ours is that of
the stages, run as `dvc repro` runs them, in a copy of the project with the data they read. Of
pretraining an epoch is measured of either.
"""

from functools import partial
from typing import Any

from bench import ours, torch_originals
from bench.copies import temporary
from bench.imports import settings
from bench.timing import compare, isolated, seconds
from pipeline.core import labelled
from pipeline.core.labelled import Labelled
from pipeline.ranks import wide
from pipeline.scoring.names import title

RANKS = (1, 2, 4, 8, 16, 32, 64)
BASE_EPOCHS, SWEEP_EPOCHS, SHAPES_EPOCHS, SHAPES_IMAGES = 30, 10, 10, 1000
REPLAY_EPOCHS = 13
TRIALS, TRIAL_EPOCHS = 100, 17.5
"""Of the original's studies; a trial has 5 to 30 epochs, 17.5 on average."""
CONVOLUTIONS_FROZEN = True

SWEEP_ONCE = {
    "ranks.sweep.learning_rates.full": [1e-3],
    "ranks.sweep.learning_rates.last_layer": [],
    "ranks.sweep.learning_rates.lora": [1e-3],
    "ranks.sweep.published": None,
}
TRANSFER_ALONE = {
    f"shapes.transfer.{name}.epochs": 1 for name in ("scratch", "random", "fine_tuned")
}

Row = dict[str, Any]


def sweep() -> Row:
    """The rank sweep: pretraining, all weights, and every rank."""
    classes = settings("ranks_pretrain")["pretrain"].classes
    second = settings("ranks_sweep")["sweep"].classes
    first, second = wide.tasks(Labelled.load("data/ranks/images/train"), classes, second)

    def original() -> float:
        adapted = (
            seconds(torch_originals.sweep_epoch, second.inputs, second.labels, rank)
            for rank in (None, *RANKS)
        )
        base = seconds(torch_originals.sweep_epoch, first.inputs, first.labels, None)
        return BASE_EPOCHS * base + SWEEP_EPOCHS * sum(adapted)

    row = _row(
        "rank sweep: base, every rank and all weights, once each",
        original,
        ["ranks_pretrain", "ranks_sweep"],
        SWEEP_ONCE,
    )
    return row | {"products": ours.limits(ours.sweep_operations(first, second, RANKS))}


def shapes() -> Row:
    """The shapes: pretraining and transfer."""
    drawn = torch_originals.Shapes(SHAPES_IMAGES)

    def original() -> float:
        epochs = (seconds(torch_originals.shapes_epoch, drawn, frozen) for frozen in (False, True))
        return SHAPES_EPOCHS * sum(epochs)

    names = ["shapes_draw", "shapes_pretrain", "shapes_transfer"]
    return _row("shapes: base and transfer", original, names, TRANSFER_ALONE)


def pretraining() -> Row:
    """An epoch of pretraining."""
    old = Labelled.load("data/split/old_train")
    row = compare(
        f"pretraining: one epoch of {len(old.labels):,} images",
        lambda: isolated("bench.keras_originals:epoch", old.inputs, old.labels),
        ours.pretraining_epoch,
    )
    return row | {"products": ours.limits(ours.pretraining_operations(old))}


def replay() -> Row:
    """Replay of all images; ours computes the frozen features first."""
    digits = training_images()

    def original() -> float:
        epoch: float = isolated(
            "bench.keras_originals:epoch", digits.inputs, digits.labels, CONVOLUTIONS_FROZEN
        )
        return REPLAY_EPOCHS * epoch

    return _row("replay", original, ["features", "replay"], {})


def study(name: str, rank: int | None) -> Row:
    """A study of the original's number of trials.

    Args:
        name: of our stage.
        rank: of the original's low-rank updates (None: it trains the weights).
    """
    digits, new = training_images(), Labelled.load("data/split/new_train")

    def original() -> float:
        epoch = isolated(
            "bench.keras_originals:epoch", new.inputs, new.labels, CONVOLUTIONS_FROZEN, rank
        )
        evaluation = isolated("bench.keras_originals:evaluation", digits.inputs, digits.labels)
        return float(TRIALS * (TRIAL_EPOCHS * epoch + evaluation))

    heading = f"{title(name)}: a study of {TRIALS} trials"
    return _row(heading, original, [name], {f"{name}.trials": TRIALS})


def training_images() -> Labelled:
    """The training images of all classes."""
    parts = ("data/split/old_train", "data/split/new_train")
    return labelled.merge(*map(Labelled.load, parts))


def _row(heading: str, original: Any, names: list[str], changes: dict[str, Any]) -> Row:
    with temporary() as folder:
        project = ours.copy(folder, names)
        return compare(heading, original, partial(ours.stages, project, names, changes))
