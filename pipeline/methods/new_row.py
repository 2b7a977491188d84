"""A new row: one logistic unit for each new class, from few images; everything old stays as is."""

from pipeline.core.labelled import Labelled
from pipeline.core.params import Seed
from pipeline.core.seeding import derive
from pipeline.learning import augmentation, loading, rows
from pipeline.learning.compute import Compute
from pipeline.new_class import results
from pipeline.new_class.results.steps import one_after_another
from pipeline.techniques.statistics import new_row as technique
from pipeline.techniques.statistics.gaussians import Gaussians
from pipeline.techniques.statistics.new_row import NewRow


@one_after_another
def main(seed: Seed, compute: Compute, new_row: NewRow) -> None:
    device = compute.start(threads=1)
    base = results.load_base().to(device)
    new = Labelled.load("data/split/new_train")
    kept = Gaussians.load(results.GAUSSIANS)
    if not len(kept.labels):
        results.left_out("new_row", "statistics of the old classes")
        return

    learned = technique.learn_all(
        base,
        kept,
        {label: loading.tensors(device, new.where(new.labels == label))[0] for label in new.new},
        augmentation.chosen(new_row.augmentation, new),
        new_row,
        derive(seed, "new_row"),
    )
    for label, row in learned.items():
        row.save(results.METHODS / "new_row" / rows.file(label), new.classes[label], base)
    model = rows.with_rows(rows.without_rows(base), learned)
    results.save_about("new_row", model, kept_bytes=results.GAUSSIANS.stat().st_size)
