"""What was learned of shapes, as tables for people."""

from pipeline.scoring.tables import Results, Table, mean, number, percent

SHAPES = {
    "base": "base, on its three classes",
    "frozen": "transfer, on two new ones",
    "fine_tuned": "all weights from the base",
    "scratch": "all weights from scratch",
    "random": "random convolutions, frozen",
    "both": "transfer, on all five",
    "both_plain": "transfer, on all five, no outliers",
}


def transfer(results: Results, facts: Results) -> Table:
    """The ways to learn new shapes."""
    rows = [
        ["shapes", "accuracy, %", "macro F1", "loss, nats", "labels for 95 %", "labels saved"],
    ]
    needed = results.get("labels_for_95", {})
    once = facts["labels_for_95"]
    scratch = needed.get("scratch")
    for name, figure in results.items():
        if "accuracy" not in figure:
            continue
        labels = needed.get(name)
        otherwise = "not in every run" if once.get(name) else "not reached" if name in once else ""
        rows.append(
            [
                SHAPES[name],
                percent(figure["accuracy"]),
                number(figure["f1_macro"], 4),
                number(figure["loss"], 4),
                number(labels, 0) if labels else otherwise,
                f"{mean(scratch) - mean(labels):.0f}" if labels and scratch else "",
            ]
        )
    return rows


def unknown(results: Results, facts: Results) -> Table:
    """How well known and unknown shapes are told apart."""
    rows = [["score", "outliers in training", "AUROC", "unknown passed at 95 % known, %"]]
    for key, shown in {"both_plain": "no", "both": "yes"}.items():
        for score, figure in results[key]["unknown"].items():
            rows.append([score, shown, number(figure["auroc"], 3), percent(figure["fpr95"])])
    return rows


def rejected(results: Results, facts: Results) -> Table:
    """How many images of every shape are called unknown."""
    figures = results["both"]["rejected"]
    return [["", *figures], ["called unknown, %", *map(percent, figures.values())]]
