"""Measures how much the base's answers on old images depend on each of its weights."""

from pathlib import Path

import torch
from torch import Tensor

from pipeline.core import artifacts
from pipeline.core.errors import InputError
from pipeline.core.labelled import Labelled
from pipeline.core.params import Count, Section, Seed
from pipeline.core.seeding import derive
from pipeline.learning import loading
from pipeline.learning.compute import Compute
from pipeline.learning.networks import Classifier
from pipeline.new_class import results
from pipeline.techniques.fisher import Fisher as Information

GIVEN = Path("data/weights")
FILE = "fisher.safetensors"


class Fisher(Section):
    """`images` of every class are looked at, at most.

    Of a class that is learned later as many, or as many as information that was brought is of.
    """

    images: Count


def main(seed: Seed, compute: Compute, fisher: Fisher) -> None:
    device = compute.start()
    torch.manual_seed(derive(seed, "fisher"))
    base = results.load_base().to(device)
    old = Labelled.load("data/split/old_train")
    given = artifacts.load_json(GIVEN / "about.json")["statistics"]

    if len(old.labels):
        few = old.few(fisher.images, derive(seed, "fisher"))
        images, _ = loading.tensors(device, few)
        found, count = Information.sampled(base, images), fisher.images
    else:  # the images are gone: what was kept of them, or nothing
        found, count = kept(base) if FILE in given else (Information({}), fisher.images)
    found.save(f"data/fisher/{FILE}", count)


def kept(base: Classifier) -> tuple[Information, int]:
    """What came with the classifier, with nothing of each new class, and its number of images.

    Raises:
        InputError: if it is of other weights.
    """
    information, count = Information.load(GIVEN / FILE)
    known: dict[str, Tensor] = {}
    for name, weight in base.named_parameters():
        given = information.weights.get(name, torch.zeros(0))
        wrong = given.shape[1:] != weight.shape[1:] or len(given) > len(weight)
        if wrong or name not in information.weights:
            raise InputError(f"network.path: {FILE} is of other weights than the classifier's")
        known[name] = torch.zeros_like(weight.detach())
        known[name][: len(given)] = given
    return Information(known), count
