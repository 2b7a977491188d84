"""What a stage would refuse after others have run, found before any does."""

from collections.abc import Callable, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.core import dag, labelled
from pipeline.core.errors import InputError
from pipeline.core.labelled import Labelled
from pipeline.learning import backbones, freezing, loreft, models, networks
from pipeline.new_class import results
from pipeline.ranks import wide
from pipeline.sources import catalogue
from pipeline.techniques import targets

Sections = Mapping[str, Any]


def check(sections: Sections) -> None:
    """Looks at what several sections say together.

    Args:
        sections: all, validated, by their places in params.yaml.

    Raises:
        InputError: naming the first key that a stage would refuse.
    """
    sections["compute"].device_of()
    for each in (_first_question, _network, _adapters, _statistics, _ranks, _few_labels):
        each(sections)


def _first_question(sections: Sections) -> None:
    if not sections["split"].names:
        raise InputError(
            "params.yaml: split.new_classes is []: nothing is left to learn; `dvc repro pretrain` "
            "makes a base of all classes"
        )
    classes = catalogue.classes(sections["data"].source)
    if classes is None:  # the user's own, which are not read here
        return
    new = labelled.indices(sections["split"].names, classes, "split.new_classes")
    if len(new) == len(classes):
        raise InputError("params.yaml: split.new_classes names all classes: no old one is left")


def _network(sections: Sections) -> None:
    """Looks at names alone: what is at their places is seen by the stage `weights`, which is first.

    timm is loaded where the trunk is none of ours.
    """
    network = sections["network"]
    own = network.trunk in backbones.HERE
    if not own and network.trunk.partition(":")[0] not in backbones.ELSEWHERE:
        backbones.known(network.trunk)
    if network.weights == "none" and sections["pretrain"].epochs == 0:
        raise InputError(
            "params.yaml: pretrain.epochs is 0 and network.weights none: nothing would be trained"
        )


def left_out(sections: Sections) -> list[str]:
    """Says which methods need what is gone, where a folder has no image of an old class.

    `dvc.yaml` says what each reads.
    """
    data, network = sections["data"], sections["network"]
    root = Path(data.path)
    root = root / "train" if (root / "train").is_dir() and (root / "test").is_dir() else root
    if data.source != "folder" or sections["pretrain"].epochs > 0 or not root.is_dir():
        return []
    names = {each.name for each in root.iterdir() if each.is_dir() and each.name[0] != "."}
    if not names or not names <= set(sections["split"].names):
        return []
    declared = dag.stages()
    lines = []
    for name in sections["methods"]:
        for needed in dag.dependencies(declared[name]):
            if needed in results.USES["training"]:
                lines.append(f"{name} is left out: it reads {needed}, and no old image is there")
            kept = Path(network.path) / Path(needed).name
            needs = needed.startswith(("data/statistics/", "data/fisher/")) and kept.suffix
            if needs and not kept.is_file():
                lines.append(f"{name} is left out: it reads {needed}, and there is no {kept}")
    return lines


def _adapters(sections: Sections) -> None:
    """Freezes a small network of that kind, and finds the layers that every section names."""
    kind, hidden = sections["network"].trunk, sections["network"].head
    if kind not in backbones.HERE or sections["network"].weights != "none":
        return  # the network's layers are not known here
    trunk = catalogue.trunk(sections["data"].source) if kind == "auto" else kind
    build: Callable[..., networks.Classifier] = models.NETWORKS[trunk]
    shape = (64,) if trunk == "identity" else (1, 28, 28)
    model = build(shape, 10, 0.0, **({} if hidden == "auto" else {"hidden": hidden}))
    freezing.train_from(model, sections["network"].train)
    for name, section in sections.items():
        try:
            if hasattr(section, "targets") and hasattr(section, "rank"):
                # What trains on samples of features cannot change the trunk.
                head_only = hasattr(section, "samples")
                targets.choose(
                    model, section.targets, section.rank, head_only=head_only, say=lambda _: None
                )
            if hasattr(section, "layer") and hasattr(section, "rank"):
                loreft.edit(deepcopy(model.head), section.layer, section.rank)
        except InputError as error:
            problem = str(error).removeprefix("params.yaml: ")
            raise InputError(f"params.yaml: {name}: {problem}") from None


def _statistics(sections: Sections) -> None:
    width = sections["statistics"].width
    for name, section in sections.items():
        if (largest := max(getattr(section, "widths", [0]))) > width:
            raise InputError(
                f"params.yaml: {name}.widths has {largest}, but statistics.width is {width}"
            )


def _ranks(sections: Sections) -> None:
    classes = catalogue.classes(sections["ranks.images"].source)
    assert classes is not None
    nothing = Labelled(np.zeros((0, 1)), np.zeros(0, np.int64), classes, [])
    wide.tasks(nothing, sections["ranks.pretrain"].classes, sections["ranks.sweep"].classes)


def _few_labels(sections: Sections) -> None:
    largest = max(sections["shapes.few_labels"].images)
    available = sections["shapes.draw"].images.train
    if largest > available:
        raise InputError(
            f"params.yaml: shapes.few_labels.images has {largest}, but there are only {available} "
            "of every class (shapes.draw.images.train)"
        )
