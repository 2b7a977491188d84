"""Where labelled images come from, and proof that they are what they claim to be."""

import gzip
import hashlib
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
from pydantic import Field
from tqdm import tqdm

from pipeline import artifacts
from pipeline.errors import InputError
from pipeline.params import Section

MNIST_SHA256 = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
DIGITS = [str(digit) for digit in range(10)]
KIND = "labelled inputs"


class Data(Section):
    """The shared section `data`."""

    dataset: Literal["mnist", "digits"]
    mirrors: list[str] = Field(min_length=1)


class Labelled(NamedTuple):
    """Images, or the features that a trunk made of them, with their classes.

    Attributes:
        inputs: images `(n, channels, height, width)`, uint8, or features `(n, width)`, float32.
        labels: `(n,)`, int64, indices into `classes`.
        classes: the names of all classes.
        new: the indices of the classes that the base model has never seen.
    """

    inputs: npt.NDArray[Any]
    labels: npt.NDArray[np.int64]
    classes: list[str]
    new: list[int]

    def save(self, path: Path | str) -> None:
        """Saves to a safetensors file.

        Raises:
            InputError: if the file can't be written.
        """
        about = {"kind": KIND, "classes": self.classes, "new": self.new}
        artifacts.save_tensors(path, {"inputs": self.inputs, "labels": self.labels}, about)

    @classmethod
    def load(cls, path: Path | str) -> "Labelled":
        """Loads what `save` saved.

        Raises:
            InputError: if the file is missing, damaged or of another kind.
        """
        arrays, about = artifacts.load_tensors(path, KIND)
        return cls(arrays["inputs"], arrays["labels"], about["classes"], about["new"])

    def where(self, chosen: npt.NDArray[Any]) -> "Labelled":
        """The part that a mask or an array of indices chooses."""
        return self._replace(inputs=self.inputs[chosen], labels=self.labels[chosen])

    def only(self, chosen: Sequence[int]) -> "Labelled":
        """The images of some classes alone, which become classes 0, 1, … in the order given."""
        part = self.where(np.isin(self.labels, chosen))
        place = np.full(len(self.classes), -1)
        place[list(chosen)] = np.arange(len(chosen))
        new = [chosen.index(label) for label in self.new if label in chosen]
        return Labelled(
            part.inputs, place[part.labels], [self.classes[label] for label in chosen], new
        )

    def few(self, count: int | None, seed: int) -> "Labelled":
        """At most `count` images of each class, drawn at random, in their order (None: all)."""
        order = np.random.default_rng(seed).permutation(len(self.labels))
        of_class = [order[self.labels[order] == label][:count] for label in np.unique(self.labels)]
        return self.where(np.sort(np.concatenate(of_class)))

    @property
    def is_new(self) -> npt.NDArray[np.bool_]:
        """Which labels are of new classes: `(n,)`, bool."""
        return np.isin(self.labels, self.new)


def merge(*parts: Labelled) -> Labelled:
    """Puts parts together, one after the other; classes of the same name are the same."""
    classes = list(dict.fromkeys(name for part in parts for name in part.classes))
    labels = [
        np.array([classes.index(name) for name in part.classes])[part.labels] for part in parts
    ]
    new = {classes.index(part.classes[label]) for part in parts for label in part.new}
    return Labelled(
        np.concatenate([part.inputs for part in parts]),
        np.concatenate(labels),
        classes,
        sorted(new),
    )


def fetch(data: Data) -> dict[str, bytes]:
    """Obtains a data set as IDX files.

    Returns:
        File names to contents: train and test images and labels, and the names of the classes.

    Raises:
        InputError: if no mirror has a file with the right content.
    """
    if data.dataset == "digits":
        return _bundled_digits()
    return {name: _from_mirrors(name, sha, data.mirrors) for name, sha in MNIST_SHA256.items()}


def parse(files: dict[str, bytes]) -> tuple[Labelled, Labelled]:
    """Reads train and test images from the IDX files of a data set of ten digits.

    Raises:
        InputError: if a file isn't IDX, or images and labels differ in number.
    """
    return _labelled(files, "train"), _labelled(files, "t10k")


def _labelled(files: dict[str, bytes], part: str) -> Labelled:
    images = _idx(files, f"{part}-images-idx3-ubyte", 3)
    labels = _idx(files, f"{part}-labels-idx1-ubyte", 1)
    if len(images) != len(labels):
        raise InputError(f"{part}: {len(images)} images, but {len(labels)} labels")
    return Labelled(images[:, np.newaxis], labels.astype(np.int64), DIGITS, [])


def _idx(files: dict[str, bytes], name: str, dimensions: int) -> npt.NDArray[np.uint8]:
    content = files[name]
    header = 4 + 4 * dimensions
    if len(content) < header or content[:4] != bytes([0, 0, 8, dimensions]):
        raise InputError(f"{name}: not an IDX file of {dimensions}-dimensional bytes")
    shape = np.frombuffer(content[4:header], ">u4").astype(int)
    if len(content) != header + shape.prod():
        raise InputError(f"{name}: {len(content)} bytes, but {header + shape.prod()} announced")
    return np.frombuffer(content, np.uint8, offset=header).reshape(shape)


def _from_mirrors(name: str, sha256: str, mirrors: Sequence[str]) -> bytes:
    problems = []
    for mirror in mirrors:
        try:
            content = _from_mirror(name, mirror)
        except (OSError, EOFError, zlib.error) as error:
            problems.append(f"{mirror}: {_reason(error)}")
            continue
        found = hashlib.sha256(content).hexdigest()
        if found == sha256:
            return content
        problems.append(f"{mirror}: wrong content (SHA-256 {found[:12]}…, not {sha256[:12]}…)")
    raise InputError(
        f"no mirror of data.mirrors has {name}: {'; '.join(problems)}; to do without: "
        "dvc exp run -S data.dataset=digits"
    )


def _from_mirror(name: str, mirror: str) -> bytes:
    if mirror.startswith(("http://", "https://")):
        return gzip.decompress(_download(f"{mirror.rstrip('/')}/{name}.gz"))
    for folder in _folders(mirror):
        if (folder / name).is_file():
            return (folder / name).read_bytes()
        if (folder / f"{name}.gz").is_file():
            return gzip.decompress((folder / f"{name}.gz").read_bytes())
    raise FileNotFoundError("no such directory, or the file isn't in it")


def _folders(mirror: str) -> list[Path]:
    """Where a directory may be: DVC runs queued experiments in copies inside the repository."""
    here = Path.cwd()
    roots = [here, *(folder for folder in here.parents if (folder / ".dvc").is_dir())]
    return [root / Path(mirror).expanduser() for root in roots]


def _download(url: str) -> bytes:
    import requests  # only where a mirror is a URL

    session = requests.Session()
    retry = requests.adapters.Retry(3, backoff_factor=0.5, status_forcelist=[429, 500, 502, 503])
    session.mount("http", requests.adapters.HTTPAdapter(max_retries=retry))
    with session.get(url, stream=True, timeout=(5, 30)) as response:
        response.raise_for_status()
        size = int(response.headers.get("Content-Length", 0)) or None
        with tqdm(total=size, unit="B", unit_scale=True, desc=url, disable=None) as progress:
            content = bytearray()
            for chunk in response.iter_content(1 << 16):
                content += chunk
                progress.update(len(chunk))
    return bytes(content)


def _reason(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text if len(text) <= 160 else f"{text[:157]}..."


def _bundled_digits() -> dict[str, bytes]:
    """The 1,797 handwritten digits of scikit-learn, 8×8 enlarged to 28×28, as IDX files."""
    from PIL import Image
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    digits = load_digits()
    small = (digits.images * (255 / 16)).round().astype(np.uint8)
    bilinear = Image.Resampling.BILINEAR
    images = np.stack(
        [np.asarray(Image.fromarray(image).resize((28, 28), bilinear)) for image in small]
    )
    labels = digits.target.astype(np.uint8)
    parts = train_test_split(images, labels, test_size=1 / 6, stratify=labels, random_state=0)
    names = [
        f"{part}-{kind}"
        for kind in ("images-idx3-ubyte", "labels-idx1-ubyte")
        for part in ("train", "t10k")
    ]
    return {name: _idx_bytes(part) for name, part in zip(names, parts, strict=True)}


def _idx_bytes(array: npt.NDArray[np.uint8]) -> bytes:
    shape = np.array(array.shape, ">u4").tobytes()
    return bytes([0, 0, 8, array.ndim]) + shape + array.tobytes()
