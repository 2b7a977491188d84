"""Adapts the wide network to the other classes: LoRA at several ranks against full fine-tuning."""

from pathlib import Path

from pipeline.core import artifacts
from pipeline.core.labelled import Labelled
from pipeline.core.params import Seed
from pipeline.learning import changes, models, training
from pipeline.learning.compute import Compute
from pipeline.learning.validation import Validation
from pipeline.ranks import wide
from pipeline.ranks.trials import Sweep, SweepTrial
from pipeline.search import workers
from pipeline.search.workers import Outcome, Values
from pipeline.techniques import adapters


def main(seed: Seed, compute: Compute, sweep: Sweep) -> None:
    device = compute.start(threads=1)
    base, first = wide.load_base()
    base = base.to(device)
    _, train = wide.halves(Labelled.load("data/ranks/images/train"), first)
    _, validation = wide.halves(Labelled.load("data/ranks/images/validation"), first)
    watched = Validation.of(validation, "overall", device)
    trial = SweepTrial(seed, sweep, base, *training.join(device, train), watched)

    cases = sweep.cases()
    outcomes = workers.run_all(trial, cases, compute, "ranks_sweep")
    finished = list(zip(cases, outcomes, strict=True))
    rows = [outcome.measured | described(values) for values, outcome in finished]
    artifacts.save_table(wide.SWEEP / "study.csv", rows)
    for values, outcome in best(finished):
        weights, curve = outcome.result
        model = trial.untrained(values)
        model.load_state_dict(weights, strict=False)
        folder = folder_of(values)
        if values["contender"].trains == "lora":
            adapters.save(folder, model)
        else:
            changes.save(folder, model, base)
        artifacts.save_table(folder / "curve.csv", curve)
        facts = described(values) | {"trainable_parameters": models.trainable_parameters(model)}
        artifacts.save_json(folder / "facts.json", facts)


def best(finished: list[tuple[Values, Outcome]]) -> list[tuple[Values, Outcome]]:
    """Of every contender, as published or not, the learning rate with the best score."""
    chosen: dict[Path, tuple[Values, Outcome]] = {}
    for values, outcome in finished:
        folder = folder_of(values)
        if folder not in chosen or outcome.score > chosen[folder][1].score:
            chosen[folder] = (values, outcome)
    return list(chosen.values())


def folder_of(values: Values) -> Path:
    """Where a contender's results are."""
    setting = "published" if values["published"] else "tuned"
    return Path(wide.SWEEP, setting, values["contender"].name)


def described(values: Values) -> Values:
    """A trial's values for a table."""
    contender = values["contender"]
    return values | {"contender": contender.name, "rank": contender.rank}
