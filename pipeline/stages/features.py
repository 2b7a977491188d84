"""Computes the frozen trunk's features of all images but those of the test, once."""

import torch

from pipeline import models, training
from pipeline.compute import Compute
from pipeline.datasets import Labelled

PARTS = ("old_train", "new_train", "validation")


def main(compute: Compute) -> None:
    device = compute.start()
    trunk = models.load("data/methods/base/model.safetensors").trunk.to(device)
    for part in PARTS:
        data = Labelled.load(f"data/split/{part}.safetensors")
        features = training.predict(trunk, torch.from_numpy(data.inputs).to(device))
        data._replace(inputs=features.cpu().numpy()).save(f"data/features/{part}.safetensors")
