"""Adapts the wide network to the other classes: LoRA at several ranks against full fine-tuning."""

import sys

from pipeline.core import artifacts
from pipeline.core.errors import InputError
from pipeline.core.labelled import Labelled
from pipeline.core.params import Seed
from pipeline.learning import changes, loading, models
from pipeline.learning.compute import Compute
from pipeline.learning.validation import Score, Validation
from pipeline.ranks import wide
from pipeline.ranks.trials import Sweep, SweepTrial
from pipeline.ranks.wide import Contender
from pipeline.search import workers
from pipeline.search.workers import Outcome, Values
from pipeline.techniques import adapters, targets

Finished = list[tuple[Values, Outcome]]


def main(seed: Seed, compute: Compute, sweep: Sweep) -> None:
    device = compute.start(threads=1)
    base, first = wide.load_base()
    base = base.to(device)
    targets.choose(base, "auto", max(sweep.ranks))
    _, train = wide.tasks(Labelled.load("data/ranks/images/train"), first, sweep.classes)
    _, held_out = wide.tasks(Labelled.load("data/ranks/images/validation"), first, sweep.classes)
    validation = Validation.of(held_out, "overall", device)
    trial = SweepTrial(seed, sweep, base, *loading.tensors(device, train), validation)

    tried = run(trial.short(), sweep.trials(), compute, "learning rates")
    finished = run(trial, sweep.trainings(best_rates(tried)), compute, "ranks_sweep")
    if any(outcome.result is None for _, outcome in finished):
        raise InputError("a training that counts diverged; lower learning rates may help")
    rows = [outcome.measured | described(values) for values, outcome in [*tried, *finished]]
    artifacts.save_json(wide.SWEEP / "facts.json", {"classes": train.classes})
    artifacts.save_table(wide.SWEEP / "study.csv", rows)
    for values, outcome in finished:
        weights, curve = outcome.result
        model = trial.untrained(values)
        model.load_state_dict(weights, strict=False)
        contender: Contender = values["contender"]
        folder = wide.SWEEP / ("published" if values["published"] else "tuned") / contender.name
        if contender.trains == "lora":
            adapters.save(folder, model)
        else:
            changes.save(folder, model, base)
        artifacts.save_table(folder / "curve.csv", curve)
        facts = described(values) | {"trainable_parameters": models.trainable_parameters(model)}
        artifacts.save_json(folder / "facts.json", facts)


def run(trial: SweepTrial, cases: list[Values], compute: Compute, name: str) -> Finished:
    """Runs trainings, and gives each with its outcome."""
    outcomes = workers.run_all(trial, cases, compute, name) if cases else []
    finished = list(zip(cases, outcomes, strict=True))
    for values, outcome in finished:
        if outcome.result is None:
            told = described(values)
            print(f"{told['contender']} diverged at {told['learning_rate']:g}", file=sys.stderr)
    return finished


def best_rates(tried: Finished) -> dict[Contender, float]:
    """Of every contender that tried several, the learning rate with the best score."""
    best: dict[Contender, tuple[Score, float]] = {}
    for values, outcome in tried:
        contender = values["contender"]
        if contender not in best or outcome.score > best[contender][0]:
            best[contender] = outcome.score, values["learning_rate"]
    return {contender: rate for contender, (_, rate) in best.items()}


def described(values: Values) -> Values:
    """A training's values for a table."""
    contender: Contender = values["contender"]
    return values | {"contender": contender.name, "rank": contender.rank}
