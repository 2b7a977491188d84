"""Computes the frozen trunk's features of all images but those of the test, once."""

from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from pipeline.core.labelled import Labelled
from pipeline.learning import training
from pipeline.learning.compute import Compute
from pipeline.new_class import results

PARTS = ("old_train", "new_train", "old_validation", "new_validation")


def main(compute: Compute) -> None:
    device = compute.start()
    trunk = results.load_base().trunk.to(device)

    def features(images: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        outputs: npt.NDArray[np.float32] = (
            training.predict(trunk, torch.from_numpy(images).to(device)).cpu().numpy()
        )
        return outputs

    for part in PARTS:
        images = Labelled.load(f"data/split/{part}")
        results.require_new(images)
        images.save_transformed(f"data/features/{part}", features)
