"""A model as an ONNX graph: pixels as they are in, logits out, the strength an input of its own."""

import json
import warnings
from importlib.util import find_spec
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from pipeline.app.models import Predictor
from pipeline.core.errors import InputError
from pipeline.core.labelled import CHUNK, Labelled
from pipeline.learning.networks import Classifier

PACKAGES = ("onnx", "onnxscript", "onnxruntime")
"""What the extra `onnx` installs."""
TOLERANCE = 1e-5
"""How far logits may be from PyTorch's, of the largest of them."""
FURTHEST = 2.0
"""The largest strength that a graph is checked at."""


class Interpolated(nn.Module):
    """A network whose weights lie on the line from a base to what a training made of it.

    Its outputs are those of `strength.interpolate`, with the strength as an input.
    """

    def __init__(self, base: Classifier, tuned: Classifier):
        super().__init__()
        self.base = base
        changed = dict(tuned.named_parameters())
        self.names = [
            name
            for name, weight in base.named_parameters()
            if not torch.equal(weight, changed[name])
        ]
        for place, name in enumerate(self.names):
            change = changed[name].detach() - base.get_parameter(name).detach()
            self.register_buffer(f"change_{place}", change)

    def forward(self, images: Tensor, strength: Tensor) -> Tensor:
        """Logits `(n, classes)` of images at a strength `()`."""
        weights = {
            name: self.base.get_parameter(name) + strength * self.get_buffer(f"change_{place}")
            for place, name in enumerate(self.names)
        }
        logits: Tensor = torch.func.functional_call(self.base, weights, (images,))
        return logits


def missing() -> list[str]:
    """The packages that a graph needs and that are not installed."""
    return [name for name in PACKAGES if not find_spec(name)]


def of(predictor: Predictor) -> bytes:
    """The content of an ONNX file.

    Its inputs are `images`, as many as there are, uint8 `(n, channels, height, width)` or float32
    `(n, features)`, and `strength`, float32 `()`, if the method has one; its output is `logits`,
    float32 `(n, classes)`. Its metadata name the classes, and the threshold of `unknown`.
    """
    image = torch.zeros(2, *predictor.card.shape, dtype=_type(predictor))
    network: nn.Module = predictor.model
    arguments: tuple[Tensor, ...] = (image,)
    if predictor.ends:
        network = Interpolated(*predictor.ends)
        arguments = (image, torch.tensor(1.0))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the exporter's own dependencies
        program = torch.onnx.export(
            network.eval(),
            arguments,
            input_names=["images", "strength"][: len(arguments)],
            output_names=["logits"],
            dynamic_shapes=({0: torch.export.Dim("n")}, None)[: len(arguments)],
            dynamo=True,
            verbose=False,
        )
    assert program is not None
    content: bytes = _told(program.model_proto, predictor).SerializeToString(deterministic=True)
    return content


def check(content: bytes, predictor: Predictor, validation: Labelled) -> None:
    """Holds a graph against PyTorch on all validation images.

    Raises:
        InputError: unless the answers are the same, and the logits nearly so.
    """
    import onnxruntime

    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    strengths = {0.0, 1.0, FURTHEST, predictor.strength} if predictor.ends else {None}
    for strength in strengths:
        given = {} if strength is None else {"strength": np.array(strength, np.float32)}
        model = predictor if strength is None else predictor.at_strength(strength)
        expected = model.logits(validation.inputs).numpy()
        found = np.concatenate(
            [
                session.run(None, {"images": validation.inputs[start : start + CHUNK], **given})[0]
                for start in range(0, len(expected), CHUNK)
            ]
        )
        at = "" if strength is None else f" at strength {strength}"
        equal(f"the ONNX graph is not the model{at}", found, expected)


def equal(problem: str, found: npt.NDArray[np.float32], expected: npt.NDArray[np.float32]) -> None:
    """Holds logits `(n, classes)` of validation images against those of the model.

    Raises:
        InputError: that begins with the problem, unless the answers are the same, and the logits
            nearly so.
    """
    difference = np.abs(found - expected).max() / np.abs(expected).max()
    others = int((found.argmax(1) != expected.argmax(1)).sum())
    if not difference <= TOLERANCE or others:
        raise InputError(
            f"{problem}: of {len(expected):,} validation images it answers {others:,} otherwise, "
            f"and logits differ by {difference:.1g} of the largest ({TOLERANCE:.0e} accepted)"
        )


def _type(predictor: Predictor) -> torch.dtype:
    return torch.uint8 if len(predictor.card.shape) == 3 else torch.float32


def _told(model: Any, predictor: Predictor) -> Any:
    """A graph with what users need to know, and without where on this machine it was made."""
    for node in (*model.graph.node, *model.graph.value_info):
        node.doc_string = ""
        del node.metadata_props[:]
    known = predictor.card.models[predictor.method].known
    told = {
        "classes": json.dumps(predictor.classes, ensure_ascii=False),
        "score": known.score,
        "threshold": str(known.threshold),
    }
    if predictor.ends:
        told["strength"] = str(predictor.strength)
    for key, value in told.items():
        model.metadata_props.add(key=key, value=value)
    return model
