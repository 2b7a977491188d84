"""What a method is handed in a step: new classes, what it learned, and what it keeps of the old."""

import shutil
from collections.abc import Callable
from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from pipeline.core import labelled
from pipeline.core.errors import InputError
from pipeline.core.labelled import Labelled
from pipeline.core.seeding import derive
from pipeline.learning import loading, training
from pipeline.learning.networks import Classifier
from pipeline.new_class import results


@dataclass(frozen=True)
class Handing:
    """What is handed to a method in one of several steps.

    A technique is imported where something of its own is kept, for a method's stage depends on no
    other method's techniques.

    Attributes:
        needed: what the method's stage depends on.
        step: the new classes.
        learned: the folders of what it learned in the steps before.
        before: the folder of the step before; the project's own for the first one.
        keep: which images it keeps of classes that it has learned.
        seed: of what is drawn.
    """

    needed: list[str]
    step: list[int]
    learned: list[Path]
    before: Path
    keep: Callable[[Classifier, Labelled], Labelled]
    seed: int

    def fill(self, folder: Path) -> None:
        """Fills a folder, where the method then finds all under the names that it depends on."""
        base = results.BASE / "model.safetensors"
        _copy(Path("dvc.yaml"), folder / "dvc.yaml")
        _copy(self.before / base, folder / base)
        for number, learned in enumerate(self.learned, 1):
            _copy(learned, folder / results.BASE / results.STEPS / str(number))
        for name in self.needed:
            if name.startswith(("data/split/", "data/features/")):
                self._images(name, folder)._replace(new=self.step, steps=()).save(folder / name)
            elif name.startswith(("data/statistics/", "data/fisher/")):
                if self.learned:
                    torch.manual_seed(derive(self.seed, name))
                    self._extend(name, folder)
                else:
                    _copy(Path(name), folder / name)
                if (folder / name).is_dir():  # samples, which name the classes of all steps
                    samples = Labelled.load(folder / name)
                    samples._replace(new=self.step, steps=()).save(folder / name)
        if self.learned:
            shutil.rmtree(self.before)

    def _images(self, name: str, folder: Path) -> Labelled:
        """Images or features: of new classes those of the step, of old ones what is kept."""
        if Path(name).name.startswith("new"):
            images = Labelled.load(name)
            return images.where(np.isin(images.labels, self.step))
        old = Labelled.load(self.before / name)
        if not self.learned:
            return old
        new = Labelled.load(self.before / name.replace("/old_", "/new_"))
        pairs = ((_model(self.before), old), (_model(folder), new))
        return labelled.merge(*(self.keep(model, images) for model, images in pairs))

    def _extend(self, name: str, folder: Path) -> None:
        """Adds what is kept of the classes of the step before to what was kept already."""
        kept, extended = self.before / name, folder / name
        match Path(name).stem:
            case "gaussians":
                from pipeline.techniques.statistics.gaussians import Gaussians

                old = Gaussians.load(kept)
                new = Gaussians.of(*self._features(), old.directions.shape[1])
                old.joined(new).save(extended)
            case "validation":
                from pipeline.techniques.statistics.gaussians import extend_samples

                extend_samples(kept, *self._features(), extended)
            case "sums":
                from pipeline.techniques.statistics.ridge import Sums

                sums, projection = Sums.load(kept)
                classes = sums.moments.shape[1]
                more = Sums.of(projection, *self._features(), classes)
                sums.plus(more).save(extended, projection.seed)
            case "moments":
                from pipeline.techniques.statistics.slda import Moments

                Moments.load(kept).plus(Moments.of(*self._features())).save(extended)
            case "fisher":
                from pipeline.techniques.fisher import Fisher

                model = _model(folder)
                fisher, count = Fisher.load(kept)
                few = self._before("split").few(count, self.seed)
                images = loading.tensors(torch.device("cpu"), few)[0]
                fisher.plus(Fisher.sampled(model, images)).save(extended, count)
            case _:
                raise InputError(f"{name}: nothing says how a class is added to it; see {__name__}")

    def _features(self) -> tuple[Tensor, Tensor]:
        """The trunk's features of the new classes of the step before, and their labels."""
        if "data/features/new_train" in self.needed:
            return loading.tensors(torch.device("cpu"), self._before("features"))
        trunk = _model(self.before).trunk
        images, labels = loading.tensors(torch.device("cpu"), self._before("split"))
        return training.predict(trunk, images), labels

    def _before(self, kind: str) -> Labelled:
        return Labelled.load(self.before / f"data/{kind}/new_train")


def _model(folder: Path) -> Classifier:
    """The model that a step goes on from."""
    with chdir(folder):
        return results.load_base()


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    (shutil.copytree if source.is_dir() else shutil.copyfile)(source, target)
