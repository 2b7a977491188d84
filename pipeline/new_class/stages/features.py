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
        features = training.predict(trunk, torch.from_numpy(data.inputs).to(device))
        data._replace(inputs=features.cpu().numpy()).save(f"data/features/{part}")
