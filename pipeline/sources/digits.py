"""The 1,797 handwritten digits that come with scikit-learn: nothing to download."""

import numpy as np

from pipeline.core.labelled import Labelled

TRUNK = "cnn"
ADVICE = {
    "trunk": TRUNK,
    "augmentation": {"rotation": 0.25, "scale": 0.15, "translation": 2.0},
}
LICENCE = "CC BY 4.0"
CLASSES = [str(digit) for digit in range(10)]


def load() -> tuple[Labelled, Labelled]:
    """The training and the test images, 8×8 enlarged to `(n, 1, 28, 28)`, uint8."""
    from PIL import Image
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    digits = load_digits()
    small = (digits.images * (255 / 16)).round().astype(np.uint8)
    bilinear = Image.Resampling.BILINEAR
    images = np.stack(
        [np.asarray(Image.fromarray(image).resize((28, 28), bilinear)) for image in small]
    )
    labels = digits.target.astype(np.int64)
    parts = train_test_split(
        images[:, np.newaxis], labels, test_size=1 / 6, stratify=labels, random_state=0
    )
    train_images, test_images, train_labels, test_labels = parts
    return (
        Labelled(train_images, train_labels, CLASSES, [], ADVICE),
        Labelled(test_images, test_labels, CLASSES, [], ADVICE),
    )
