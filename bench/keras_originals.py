"""The first original's trainings in Keras, to time ours beside them.

Written anew from their description, with the published network, sizes and optimiser. Each function
gives the seconds of one epoch, or of one pass, after a few batches to warm up. Validation between
epochs is left out, in favour of the original.
"""

import os
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras  # TensorFlow reads its log level when it is loaded

BATCH = 32
EVALUATED = 10_000
"""Images that every trial of the original's studies is measured on."""

Images = NDArray[np.uint8]
Labels = NDArray[np.int64]


class LowRank(keras.layers.Layer):
    """A frozen dense layer's weights and an update A B beside them."""

    def __init__(self, units: int, rank: int, activation: str):
        super().__init__()
        self.units, self.rank = units, rank
        self.activation = keras.activations.get(activation)

    def build(self, shape: tuple[int, ...]) -> None:
        self.kernel = self.add_weight(shape=(shape[-1], self.units), trainable=False)
        self.a = self.add_weight(shape=(shape[-1], self.rank))
        self.b = self.add_weight(shape=(self.rank, self.units))

    def call(self, inputs: keras.KerasTensor) -> keras.KerasTensor:
        update = keras.ops.matmul(keras.ops.matmul(inputs, self.a), self.b)
        return self.activation(keras.ops.matmul(inputs, self.kernel) + update)


def network(frozen: bool = False, rank: int | None = None) -> keras.Sequential:
    """The published network of 147,402 parameters.

    Args:
        frozen: whether the convolutions keep their weights.
        rank: of low-rank updates of both hidden dense layers, all else frozen (None: no update).
    """

    def dense(units: int, activation: str) -> keras.layers.Layer:
        if rank is not None and activation == "relu":
            return LowRank(units, rank, activation)
        return keras.layers.Dense(units, activation, trainable=rank is None)

    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            *(
                layer
                for channels in (32, 64)
                for layer in (
                    keras.layers.Conv2D(channels, 3, activation="relu", trainable=not frozen),
                    keras.layers.MaxPooling2D(2),
                )
            ),
            keras.layers.Conv2D(64, 3, activation="relu", trainable=not frozen),
            keras.layers.Flatten(),
            dense(128, "relu"),
            keras.layers.Dropout(0.1),
            dense(128, "relu"),
            keras.layers.Dropout(0.1),
            dense(10, "softmax"),
        ]
    )
    model.compile(
        keras.optimizers.Adam(3e-4), "sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    return model


def epoch(images: Images, labels: Labels, frozen: bool = False, rank: int | None = None) -> float:
    """Seconds of an epoch over images `(n, 1, 28, 28)`; frozen and rank as in `network`."""
    model, inputs = network(frozen, rank), _inputs(images)
    return _timed(
        lambda count: model.fit(inputs[:count], labels[:count], BATCH, verbose=0), len(labels)
    )


def evaluation(images: Images, labels: Labels) -> float:
    """Seconds of measuring a model on the first `EVALUATED` images."""
    model, inputs = network(), _inputs(images)
    return _timed(
        lambda count: model.evaluate(inputs[:count], labels[:count], BATCH, verbose=0), EVALUATED
    )


def _inputs(images: Images) -> NDArray[np.float32]:
    return images.reshape(-1, 28, 28, 1).astype(np.float32) / np.float32(255)


def _timed(work: Callable[[int], object], count: int) -> float:
    work(10 * BATCH)
    start = time.perf_counter()
    work(count)
    return time.perf_counter() - start
