"""Which methods fit what is left of the old classes, by the figures of a study.

As they were measured: a method that would also run without the samples that it was chosen on needs
them here, as nobody knows how good it is without.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from pipeline.scoring.names import title
from pipeline.scoring.tables import Results, Table, percent

STUDY = Path("metrics/studies/elsewhere.json")
"""Has every method on several sets of images."""

Old = Literal["none", "statistics", "all"] | int
"""What is left of the old classes: nothing, statistics, so many images of each, or all images."""
Kind = Literal["images", "few images", "statistics", "nothing"]
"""What a method keeps of the old classes."""
ALIKE: Mapping[Kind, Old] = {"images": "all", "statistics": "statistics", "nothing": "none"}
Figure = Mapping[str, float]
"""`mean`, `ci95` and `n` of a fraction."""


class Limits(NamedTuple):
    """What is left of the old classes and what may be spent, or the least that a method needs.

    Attributes:
        old: what is left of them.
        kept: bytes of it that are kept beside the model (None: any number).
        forgetting: percentage points that the accuracy on the old classes may lose (None: any).
        parameters: that are trained (None: any number).
    """

    old: Old
    kept: int | None = None
    forgetting: float | None = None
    parameters: int | None = None


@dataclass(frozen=True)
class Measured:
    """A method in the runs of a study.

    Attributes:
        name: of the method.
        needs: on the first set of images; of what isn't the same in all runs, the most.
        accuracy: on all classes, by the names of the sets of images.
        forgetting: likewise.
    """

    name: str
    needs: Limits
    accuracy: Mapping[str, Figure]
    forgetting: Mapping[str, Figure]

    def exceeds(self, limits: Limits) -> tuple[str, ...]:
        """The names of the limits that the method does not keep."""
        needs = self.needs
        holds = {
            "old": suffices(limits.old, needs.old),
            "kept": _within(needs.kept, limits.kept),
            "forgetting": _within(needs.forgetting, limits.forgetting),
            "parameters": _within(needs.parameters, limits.parameters),
        }
        return tuple(name for name, held in holds.items() if not held)

    def loses(self, others: Sequence["Measured"]) -> list[str]:
        """The sets of images on which another one's interval lies above that of this method."""
        return [
            case
            for case, own in self.accuracy.items()
            if any(
                other.accuracy[case]["mean"] - other.accuracy[case]["ci95"]
                > own["mean"] + own["ci95"]
                for other in others
            )
        ]


def suffices(left: Old, needed: Old) -> bool:
    """Whether what is left of the old classes is what a method needs.

    Of some images there are no statistics but their own, with which no method was measured.
    """
    if isinstance(left, int) and isinstance(needed, int):
        return needed <= left
    return needed == "none" or left in (needed, "all")


def _within(needed: float | None, limit: float | None) -> bool:
    return limit is None or (needed or 0) <= limit


def kept(fact: Results, facts: Results) -> Kind:
    """What a method keeps of the old classes, beside the model.

    Args:
        fact: its `original_data` and `kept_bytes`.
        facts: those of all methods.
    """
    if fact["original_data"] == "none":
        return "statistics" if fact["kept_bytes"] else "nothing"
    every = max(facts[name]["kept_bytes"] for name in facts)
    few = fact["original_data"] == "training" and fact["kept_bytes"] <= every / 2
    return "few images" if few else "images"


def needed(kind: Kind, budget: int | None) -> Old:
    """What must be left of the old classes for a method that keeps something of a kind.

    Args:
        kind: what it keeps.
        budget: how many images of every class at most; what few images are without it is not known.
    """
    if kind == "few images":
        return budget or "all"
    return ALIKE[kind]


def budgets(study: Results) -> dict[str, int]:
    """The most images that methods kept of every old class in the runs of a study.

    They are those that its runs set; params.yaml may have others by now.
    """
    found: dict[str, int] = {}
    for cell in study["cells"].values():
        for key, value in cell["settings"].items():
            method, _, name = key.rpartition(".")
            if name == "budget" and value is not None:
                found[method] = max(value, found.get(method, 0))
    return found


def best_first(figures: Results) -> list[str]:
    """The names of the methods by their mean accuracy on all classes."""
    return sorted(
        figures.keys() - {"base"}, key=lambda name: (-figures[name]["accuracy"]["mean"], name)
    )


def measured(study: Results) -> list[Measured]:
    """The methods that a study has of all its sets of images, the best on the first one first.

    Args:
        study: the content of its file, a case for every set of images.
    """
    most = budgets(study)
    figures = {case: study["summary"][case]["new_class"] for case in study["cases"]}
    first = study["cases"][0]
    cells = [cell for cell in study["cells"].values() if cell["case"] == first]
    runs = [cell["metrics"]["new_class"] for cell in cells]
    methods = []
    for name in best_first(figures[first]):
        if not all(name in of_case for of_case in figures.values()):
            continue
        needs = Limits(
            needed(kept(runs[0][name], runs[0]), most.get(name)),
            max(run[name]["kept_bytes"] for run in runs),
            100 * figures[first][name]["forgetting"]["mean"],
            max(run[name]["trainable_parameters"] for run in runs),
        )
        accuracy, forgetting = (
            {case: of_case[name][key] for case, of_case in figures.items()}
            for key in ("accuracy", "forgetting")
        )
        methods.append(Measured(name, needs, accuracy, forgetting))
    return methods


def fitting(methods: Sequence[Measured], limits: Limits) -> list[Measured]:
    """Those that keep all limits, in the same order."""
    return [method for method in methods if not method.exceeds(limits)]


def in_the_way(methods: Sequence[Measured], limits: Limits) -> dict[tuple[str, ...], Measured]:
    """What would have to give where no method keeps all limits.

    Returns:
        By the names of limits, as few of them as possible, the method that keeps all others and
        needs the least of these.
    """
    fewest = min(len(method.exceeds(limits)) for method in methods)
    found: dict[tuple[str, ...], Measured] = {}
    for method in methods:
        names = method.exceeds(limits)
        if len(names) == fewest:
            least = found.setdefault(names, method)
            if _amounts(method.needs, names) < _amounts(least.needs, names):
                found[names] = method
    return found


def _amounts(needs: Limits, names: Collection[str]) -> list[tuple[float, ...]]:
    return [
        _much(value) if name == "old" else (value,)
        for name, value in needs._asdict().items()
        if name in names
    ]


def _much(old: Old) -> tuple[float, ...]:
    """Statistics are less than any number of images."""
    return (2, old) if isinstance(old, int) else ({"none": 0, "statistics": 1, "all": 3}[old],)


def table(methods: Sequence[Measured]) -> Table:
    """Methods in their order, with their figures on each set of images.

    Accuracy on all classes in percent with its interval, and mean forgetting in points.
    """
    cases = list(methods[0].accuracy)
    rows = [["method", "kept, kB", "trained parameters", *cases, "loses on"]]
    for method in methods:
        rows.append(
            [
                title(method.name),
                f"{(method.needs.kept or 0) / 1000:,.0f}",
                f"{method.needs.parameters:,}",
                *(
                    f"{percent(figure)} / {percent(method.forgetting[case]['mean'])}"
                    for case, figure in method.accuracy.items()
                ),
                ", ".join(method.loses(methods)),
            ]
        )
    return rows
