"""Draws the pictures of what was found on test data."""

from matplotlib.figure import Figure

from pipeline import artifacts, figures


def main() -> None:
    metrics = artifacts.load_json("metrics/evaluate.json")
    save("methods", figures.comparison(metrics))
    save("confusion", figures.confusion(artifacts.load_table("plots/confusion.csv")))
    save("detection", figures.detection(artifacts.load_table("plots/detection.csv")))
    save("rank_sweep", figures.rank_sweep(artifacts.load_table("plots/rank_sweep.csv")))
    save("rank_mistakes", figures.rank_mistakes(artifacts.load_table("plots/rank_mistakes.csv")))
    save("strength", figures.strength(artifacts.load_table("plots/strength.csv")))
    save("training", figures.training(artifacts.load_table("plots/training.csv")))
    studies = artifacts.load_table("plots/studies.csv")
    save("studies", figures.studies(studies))
    save("tradeoff", figures.tradeoff(studies))
    save("mistakes", mistakes())
    save("shapes", shapes())
    save(
        "label_efficiency",
        figures.label_efficiency(artifacts.load_table("plots/label_efficiency.csv")),
    )


def save(name: str, figure: Figure) -> None:
    """Saves a figure beside the tables."""
    artifacts.save_bytes(f"plots/{name}.png", figures.png(figure))


def mistakes() -> Figure:
    """The most confident mistakes of every method, a row each."""
    arrays, about = artifacts.load_tensors("data/evaluation/mistakes.safetensors", "mistakes")
    rows, classes = about["rows"], about["classes"]
    captions = [
        f"{classes[row['actual']]} taken for {classes[row['predicted']]}\n{row['confidence']:.1%}"
        for row in rows
    ]
    return figures.captioned(arrays["images"], captions, [row["method"] for row in rows])


def shapes() -> Figure:
    """Some images of every shape, with what they are taken for."""
    arrays, about = artifacts.load_tensors("data/evaluation/shapes.safetensors", "samples")
    rows = about["rows"]
    captions = [
        f"{row['predicted']} {row['probability']:.0%}"
        if row["predicted"] == row["likeliest"]
        else f"{row['predicted']}\n({row['likeliest']} {row['probability']:.0%})"
        for row in rows
    ]
    return figures.captioned(arrays["images"], captions, [row["actual"] for row in rows])
