"""Computes the frozen trunk's features of all images but those of the test, once."""

import torch

from pipeline.core.labelled import Labelled
from pipeline.learning import training
from pipeline.learning.compute import Compute
from pipeline.new_class import results

PARTS = ("old_train", "new_train", "validation")


def main(compute: Compute) -> None:
    device = compute.start()
    trunk = results.load_base().trunk.to(device)
    for part in PARTS:
        data = Labelled.load(f"data/split/{part}")
        images = torch.from_numpy(data.inputs).to(device)
        if len(images):
            features = training.predict(trunk, images)
        else:  # the old images may be gone
            features = training.predict(trunk, images.new_zeros(1, *images.shape[1:]))[:0]
        data._replace(inputs=features.cpu().numpy()).save(f"data/features/{part}")
