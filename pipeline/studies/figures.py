"""Pictures of a study; a question's own are loaded where it has a part in the study."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pipeline.studies.summary import plain

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw(study: Mapping[str, Any]) -> dict[str, bytes]:
    """The comparisons of a study with error bars, as PNG, by their names.

    Args:
        study: the content of its file in `metrics/studies/`.
    """
    single = {cell["case"]: cell["metrics"] for cell in reversed(list(study["cells"].values()))}
    means = study["summary"]
    if "claims" in study:
        return {"effects": _effects(study)}
    if study.get("against") == "split.old_images":
        return {"few": _few(study)}
    if study.get("against") == "replay.budget":
        return {"kept": _kept(study)}
    if "against" in study:
        return {"curves": _curves(study)} if "new_class" in _first(study) else {}
    if len(study["cases"]) == 1:
        [case] = study["cases"]
        return {
            question: _png(figure(means[case][question], single[case][question]))
            for question, figure in DRAWN.items()
            if question in means[case]
        }
    if not all("new_class" in means[case] for case in study["cases"]):
        return {}
    if _steps(study):
        return {"after": _after(study)}
    few = max(len(means[case]["new_class"]) for case in study["cases"]) <= len(study["cases"])
    return {"cases": _by_case(study) if few else _cases(study, single)}


def _steps(study: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Of methods that learned one class after another, the accuracy after each step."""
    found = {
        case: {
            name: figure["accuracy_after"]
            for name, figure in study["summary"][case]["new_class"].items()
            if "accuracy_after" in figure
        }
        for case in study["cases"]
    }
    return {case: methods for case, methods in found.items() if methods}


def _after(study: Mapping[str, Any]) -> bytes:
    from pipeline.new_class import step_figures

    return _png(step_figures.cases(_steps(study)))


def _png(figure: "Figure") -> bytes:
    from pipeline.scoring import style

    return style.png(figure)


def _first(study: Mapping[str, Any]) -> Mapping[str, Any]:
    """The means of the first case at the first value."""
    first: Mapping[str, Any] = study["summary"][study["cases"][0]][study["values"][0]]
    return first


def _curves(study: Mapping[str, Any]) -> bytes:
    from pipeline.new_class import held_against_figures

    return _png(held_against_figures.curves(study))


def _kept(study: Mapping[str, Any]) -> bytes:
    from pipeline.new_class import held_against_figures

    return _png(held_against_figures.kept(study))


def _cases(study: Mapping[str, Any], single: Mapping[str, Any]) -> bytes:
    from pipeline.new_class import figures

    means = {case: study["summary"][case]["new_class"] for case in study["cases"]}
    methods = {case: _methods(each, single[case]["new_class"]) for case, each in means.items()}
    return _png(figures.cases(methods))


def _by_case(study: Mapping[str, Any]) -> bytes:
    from pipeline.new_class import held_against_figures

    return _png(held_against_figures.by_case(study))


def _effects(study: Mapping[str, Any]) -> bytes:
    from pipeline.new_class import claims_figures

    return _png(claims_figures.effects(study))


def _few(study: Mapping[str, Any]) -> bytes:
    from pipeline.new_class import figures

    bases = {
        case: {value: each["new_class"]["base"] for value, each in study["summary"][case].items()}
        for case in study["cases"]
    }
    return _png(figures.few_images(bases, study["values"]))


def _methods(means: Mapping[str, Any], single: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The means of every method, their intervals, and what isn't a figure."""
    methods = {
        name: {"original_data": single[name]["original_data"]} | plain(figure)
        for name, figure in means.items()
    }
    for method in methods.values():
        for key in ("accuracy", "accuracy_old", "accuracy_new"):
            half = method[f"{key}_ci95"]
            method[f"{key}_ci95"] = [method[key] - half, method[key] + half]
    return methods


def _new_class(means: Mapping[str, Any], single: Mapping[str, Any]) -> "Figure":
    from pipeline.new_class import figures

    return figures.comparison(_methods(means, single))


def _ranks(means: Mapping[str, Any], single: Mapping[str, Any]) -> "Figure":
    import pandas as pd

    from pipeline.ranks import comparison, figures

    tuned = {name: plain(figure) for name, figure in means.items() if name != "published"}
    published = {name: plain(figure) for name, figure in means.get("published", {}).items()}
    return figures.sweep(pd.DataFrame(comparison.table(tuned | {"published": published})))


def _shapes(means: Mapping[str, Any], single: Mapping[str, Any]) -> "Figure":
    import pandas as pd

    from pipeline.shapes import figures

    rows = [
        {"contender": name, "labels": int(count)}
        | {"accuracy": figure["mean"], "ci95": figure["ci95"]}
        for name, curve in means["few_labels"].items()
        for count, figure in sorted(curve.items(), key=lambda each: int(each[0]))
    ]
    return figures.few_labels(pd.DataFrame(rows))


DRAWN = {"new_class": _new_class, "ranks": _ranks, "shapes": _shapes}
