"""2,062 photographs, 100×100, of hands that sign the digits 0 to 9.

By students of Turkey Ankara Ayrancı Anadolu High School. There is no test part.
"""

from pathlib import Path

from pipeline.sources import archive
from pipeline.sources.archive import Archive, Mirror, github
from pipeline.sources.data import Data

CLASSES = tuple(str(digit) for digit in range(10))
TRUNK = "residual"
ARCHIVE = Archive(
    file="sign-language-digits.tar.gz",
    content="30d0ee3c8599928f6f98281a33826ca56fa9382069785bea8716221a344b606f",
    largest=64_000_000,
    official=False,
    size=32,
    channels=3,
    advice={
        "trunk": TRUNK,
        "augmentation": {"rotation": 0.25, "scale": 0.15, "translation": 2.0, "mirror": False},
    },
    licence="Apache-2.0",
    mirrors=(
        Mirror("../shared/images"),
        github(
            "ardamavi/Sign-Language-Digits-Dataset",
            "4b09433ef9d5c60602e8805bb54b8aa2428527f8",
            "Dataset",
        ),
    ),
)
LICENCE = ARCHIVE.licence


def write(data: Data, folder: Path) -> None:
    """Saves the parts `train` and `test`.

    Raises:
        InputError: if no mirror has the pictures with the right content.
    """
    archive.write(ARCHIVE, data, folder)
