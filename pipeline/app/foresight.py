"""What a stage would refuse after others have run, found before any does."""

from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any

import numpy as np

from pipeline.core import labelled
from pipeline.core.errors import InputError
from pipeline.core.labelled import Labelled
from pipeline.learning import models, networks
from pipeline.ranks import wide
from pipeline.sources import catalogue
from pipeline.techniques import adapters, reft

Sections = Mapping[str, Any]


def check(sections: Sections) -> None:
    """Looks at what several sections say together.

    Args:
        sections: all, validated, by their places in params.yaml.

    Raises:
        InputError: naming the first key that a stage would refuse.
    """
    sections["compute"].device_of()
    for each in (_first_question, _adapters, _statistics, _ranks, _few_labels):
        each(sections)


def _first_question(sections: Sections) -> None:
    classes = catalogue.classes(sections["data"].source)
    if classes is None:  # the user's own, which are not read here
        return
    new = labelled.indices(sections["split"].new_classes, classes, "split.new_classes")
    if len(new) == len(classes):
        raise InputError("params.yaml: split.new_classes names all classes: no old one is left")


def _adapters(sections: Sections) -> None:
    """Puts the adapters or the edit of every section on a small network of that kind."""
    kind = sections["network"].trunk
    trunk = catalogue.trunk(sections["data"].source) if kind == "auto" else kind
    build: Callable[..., networks.Classifier] = models.NETWORKS[trunk]
    shape = (64,) if trunk == "identity" else (1, 28, 28)
    model = build(shape, 10, 0.0)
    for name, section in sections.items():
        head = deepcopy(model.head)
        try:
            if hasattr(section, "targets") and hasattr(section, "rank"):
                adapters.wrap(head, section.targets, section.rank, section.alpha, 0.0)
            if hasattr(section, "layer") and hasattr(section, "rank"):
                reft.edit(head, section.layer, section.rank)
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
    wide.halves(nothing, sections["ranks.pretrain"].classes)


def _few_labels(sections: Sections) -> None:
    largest = max(sections["shapes.few_labels"].images)
    available = sections["shapes.draw"].images.train
    if largest > available:
        raise InputError(
            f"params.yaml: shapes.few_labels.images has {largest}, but there are only {available} "
            "of every class (shapes.draw.images.train)"
        )
