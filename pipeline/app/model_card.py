"""The model card of an exported model: all that its user has to know, and no blanks."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.app import card_table, results
from pipeline.app.models import Predictor
from pipeline.core import artifacts, dag
from pipeline.core.errors import InputError
from pipeline.learning.rows import Rows
from pipeline.new_class import starting
from pipeline.new_class.evaluation import answers
from pipeline.scoring.names import title
from pipeline.scoring.tables import markdown, percent
from pipeline.sources import catalogue
from pipeline.sources.messages import readable

METRICS = Path("metrics/new_class.json")
TRAINED = "trained by Retain from random weights (MIT)"
"""The licence of weights that come from nowhere else."""
GRAPH, STATISTICS = "model.onnx", "statistics/"
TIMM = """```python
import timm
model = timm.create_model("local-dir:.", pretrained=True).eval()
```

It takes pictures as `timm.data.create_transform(**timm.data.resolve_model_data_config(model))`
prepares them. With `network.trunk: local-dir:NAME` and `network.weights: pretrained`, Retain goes
on from this folder."""


def text(predictor: Predictor, files: Sequence[str], of_timm: bool) -> str:
    """The model card, in Markdown.

    Args:
        predictor: the model.
        files: those beside it, by their paths in its folder.
        of_timm: whether they are in the layout of timm.

    Raises:
        InputError: if there are no figures of the model.
    """
    metrics = artifacts.load_json(METRICS)
    if predictor.method not in metrics:
        raise InputError(f"{METRICS}: no figures of {predictor.method}; `dvc repro` makes them")
    parts = [
        f"# {title(predictor.method)}, {_inputs(predictor)}",
        _summary(predictor),
        "## Use",
        _use(predictor, files, of_timm),
        "## Figures",
        card_table.text(predictor, metrics),
        "## Data",
        _data(predictor),
        "## Kept data",
        _kept(metrics[predictor.method], any(file.startswith(STATISTICS) for file in files)),
        "## Limits",
        _limits(predictor),
        "## Licences and origin",
        f"Images: {catalogue.licence(predictor.card.source)}. Trunk: {_trunk(predictor)}. "
        f"Made by "
        f"`python -m pipeline export {predictor.method}` of Retain (MIT) at "
        f"{_origin()}; SHA-256 of the weights it was made from: "
        f"`{predictor.card.models[predictor.method].weights}`.",
    ]
    return "\n\n".join(parts) + "\n"


def _inputs(predictor: Predictor) -> str:
    shape = predictor.card.shape
    if len(shape) == 1:
        return f"a classifier of {shape[0]} features"
    colours = "grey" if shape[0] == 1 else "coloured"
    return f"a classifier of {colours} pictures of {shape[2]}×{shape[1]} pixels"


def _named(predictor: Predictor, new: bool) -> str:
    found = [n for label, n in enumerate(predictor.classes) if (label in predictor.new) == new]
    return ", ".join(readable(name) for name in found)


def _summary(predictor: Predictor) -> str:
    trained = f"trained on {_named(predictor, False)}"
    network = predictor.model.description["network"]
    if predictor.method == "base":
        return (
            f"A network ({network}) {trained}. It has outputs for {_named(predictor, True)} too, "
            "which it was not taught."
        )
    strength = "" if predictor.strength is None else f", at strength {predictor.strength}"
    return (
        f"A network ({network}) {trained}, which then learned {_named(predictor, True)} by the "
        f"method {title(predictor.method)}{strength}."
    )


def _use(predictor: Predictor, files: Sequence[str], of_timm: bool) -> str:
    parted = isinstance(predictor.model.head, Rows) and not of_timm
    rows = [["file", "holds"], *([file, _holds(file, parted)] for file in files)]
    with_graph = GRAPH in files
    shape = ", ".join(map(str, predictor.card.shape))
    kind = "uint8" if len(predictor.card.shape) == 3 else "float32"
    strength = f', "strength": np.array({predictor.strength}, np.float32)' if predictor.ends else ""
    example = (
        "```python\n"
        "import numpy as np, onnxruntime\n"
        'session = onnxruntime.InferenceSession("model.onnx")\n'
        f"images = np.zeros((1, {shape}), np.{kind})\n"
        f'[logits] = session.run(None, {{"images": images{strength}}})\n'
        "```"
    )
    slider = (
        "\n\nThe strength is an input: 0 is the base, 1 the model as trained, "
        f"{predictor.strength} what validation data chose."
    )
    graph = f"\n\n{example}{slider if predictor.ends else ''}" if with_graph else ""
    if of_timm:
        graph = f"\n\n{TIMM}{graph}"
    form = (
        "\n\nA picture is turned as the camera was held, what is transparent is put on white, and "
        f"it is brought to that size ({predictor.card.fit})."
        if len(predictor.card.shape) == 3
        else ""
    )
    return f"{markdown(rows)}{graph}{form}"


def _holds(file: str, parted: bool) -> str:
    """What a file beside the card is; `parted` if rows of new classes have files of their own."""
    if file.startswith(STATISTICS):
        return "of old classes, for methods to come"
    if file.startswith("row_"):
        return "the row of a new class, whose logit takes the place of that in model.safetensors"
    return {
        "model.safetensors": "the base" if parted else "the network, with all weights merged",
        "config.json": "classes, form of the inputs, threshold of `unknown`",
        GRAPH: "the same network, pixels as they are to logits",
    }[file]


def _data(predictor: Predictor) -> str:
    card = predictor.card
    counts = zip(card.classes, card.test_images, strict=True)
    images = ", ".join(f"{readable(name)} ({count:,})" for name, count in counts)
    outputs = dag.locked().get("download", {}).get("outs", [])
    hashes = "".join(f"\n- `{out['path']}` in DVC: {out['md5']}" for out in outputs)
    return (
        f"Source: {card.source}. Test images of each class: {images}.\n\n"
        f"- test images and labels, SHA-256: `{card.test_sha256}`{hashes}"
    )


def _kept(figures: Mapping[str, Any], statistics: bool) -> str:
    uses = {"training": "training", "validation": "validation alone", "none": "nothing"}
    old = f"Images of old classes were used for {uses[figures['original_data']]}."
    kept = f"The method keeps {figures['kept_bytes']:,} bytes of old data beside the base."
    beside = (
        "The statistics in this folder describe the features of the old classes (means, principal "
        "directions, sums). They hold no image; what they give away of one was not measured."
        if statistics
        else "No statistics are in this folder: the method changed the trunk that they are of."
    )
    trained = f"It trained {figures['trainable_parameters']:,} parameters."
    return f"{old} {kept} {trained}\n\n{beside}"


def _limits(predictor: Predictor) -> str:
    models = predictor.card.models
    known, base = models[predictor.method].known, models["base"].known
    lines = [
        f"It takes every input for one of its {len(predictor.classes)} classes, or for unknown "
        f"where the score {known.score} is below {known.threshold}: 95 % of the validation data "
        f"reach that, and {percent(known.passed)} % of the test images of the classes it learned.",
        _worst(predictor),
        f"Its figures are of images like those it was trained on ({predictor.card.source}). Others "
        "were not tried: another background, size, light or hand.",
    ]
    if base.passed_others is not None:
        lines.insert(
            1,
            f"How well the unknown is found was measured with {_named(predictor, True)} before it "
            f"was learned: {percent(base.passed_others)} % of its test images reached the "
            "threshold of the base. Of other things it may be more.",
        )
    return "\n".join(f"- {line}" for line in lines)


def _trunk(predictor: Predictor) -> str:
    """Where the trunk is from, and its licence."""
    description = predictor.model.description
    by_timm = f"{description.get('architecture')}, built by timm (Apache 2.0)"
    built = by_timm if description["network"] == "timm" else description["network"]
    path = starting.FOLDER / "about.json"
    start = artifacts.load_json(path) if path.exists() else {}
    if not start.get("sha256"):
        return f"{built}, {TRAINED}"
    return (
        f"{built}, started from weights from outside (SHA-256 `{start['sha256']}`), whose licence "
        f"is {start['licence']}"
    )


def _worst(predictor: Predictor) -> str:
    """The class that it has right least often."""
    [given] = answers.load(predictor.method)
    hits = given.predicted == given.actual
    accuracy = [hits[given.actual == label].mean() for label in np.unique(given.actual)]
    worst = int(np.unique(given.actual)[np.argmin(accuracy)])
    taken = given.predicted[(given.actual == worst) & ~hits]
    name = readable(given.classes[worst])
    if not len(taken):
        return "Of the test images it has every one right."
    most = readable(given.classes[np.bincount(taken).argmax()])
    return (
        f"Its worst class is {name}: {percent(min(accuracy))} % of the test images are right, and "
        f"of the others most are taken for {most}."
    )


def _origin() -> str:
    found = results.commit()
    return f"commit {found}" if found else "a state that git does not know"
