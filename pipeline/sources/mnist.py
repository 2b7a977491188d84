"""MNIST, from the first mirror that has it, and proof that it is the published one."""

import numpy as np
import numpy.typing as npt

from pipeline.core.errors import InputError
from pipeline.core.labelled import Labelled
from pipeline.sources.mirrors import Pinned, fetch

MIRRORS = (
    "../shared/mnist",
    "https://ossci-datasets.s3.amazonaws.com/mnist",
    "http://yann.lecun.com/exdb/mnist",
)
FILES = {
    "train-images-idx3-ubyte": Pinned(
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db", 47_040_016
    ),
    "train-labels-idx1-ubyte": Pinned(
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5", 60_008
    ),
    "t10k-images-idx3-ubyte": Pinned(
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7", 7_840_016
    ),
    "t10k-labels-idx1-ubyte": Pinned(
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2", 10_008
    ),
}
TRUNK = "cnn"
ADVICE = {
    "trunk": TRUNK,
    "augmentation": {"rotation": 0.25, "scale": 0.15, "translation": 2.0},
}
LICENCE = "CC BY-SA 3.0"
CLASSES = [str(digit) for digit in range(10)]


def load() -> tuple[Labelled, Labelled]:
    """The training and the test images, `(n, 1, 28, 28)`, uint8.

    Raises:
        InputError: if no mirror has a file with the right content.
    """
    files = {name: fetch(name, pinned, MIRRORS) for name, pinned in FILES.items()}
    return labelled(files, "train"), labelled(files, "t10k")


def labelled(files: dict[str, bytes], part: str) -> Labelled:
    """Reads a part's images and labels from their IDX files.

    Raises:
        InputError: if a file isn't IDX, or images and labels differ in number.
    """
    images = idx(files, f"{part}-images-idx3-ubyte", 3)
    labels = idx(files, f"{part}-labels-idx1-ubyte", 1)
    if len(images) != len(labels):
        raise InputError(f"{part}: {len(images)} images, but {len(labels)} labels")
    return Labelled(images[:, np.newaxis], labels.astype(np.int64), CLASSES, [], ADVICE)


def idx(files: dict[str, bytes], name: str, dimensions: int) -> npt.NDArray[np.uint8]:
    """Reads an IDX file of bytes.

    Raises:
        InputError: if it is none of so many dimensions, or its length is another than announced.
    """
    content = files[name]
    header = 4 + 4 * dimensions
    if len(content) < header or content[:4] != bytes([0, 0, 8, dimensions]):
        raise InputError(f"{name}: not an IDX file of {dimensions}-dimensional bytes")
    shape = np.frombuffer(content[4:header], ">u4").astype(int)
    if len(content) != header + shape.prod():
        raise InputError(f"{name}: {len(content)} bytes, but {header + shape.prod()} announced")
    return np.frombuffer(content, np.uint8, offset=header).reshape(shape)
