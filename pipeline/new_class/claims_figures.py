"""The picture of a study of claims."""

import json

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from pipeline.new_class.claims import verdict
from pipeline.scoring.names import title
from pipeline.scoring.style import COLOURS, WIDTH
from pipeline.scoring.tables import Results

TICKS = (-10, -1, 0, 1, 10)
FILLED = {"holds": COLOURS[0], "depends": "lightgrey", "not shown": "none"}


def effects(study: Results) -> Figure:
    """By how many points the better side of every claim is ahead, a panel for each set of images.

    Between -1 and 1 the axis is linear, beyond logarithmic.

    Args:
        study: the content of the study's file.
    """
    claims, values = study["claims"], study["values"]
    size = (WIDTH, 1.8 + 0.32 * len(claims))
    figure, axes = plt.subplots(1, len(values), figsize=size, sharex=True, sharey=True)
    for axis, value in zip(np.atleast_1d(axes), values, strict=True):
        axis.axvline(0, color="black", linewidth=0.7)
        for place, claim in enumerate(claims):
            if value in claim["effects"]:
                effect = claim["effects"][value]
                axis.errorbar(
                    100 * effect["mean"], place, xerr=100 * effect["ci95"], fmt="o",
                    color=COLOURS[0], markerfacecolor=FILLED[verdict(claim)], elinewidth=1,
                )  # fmt: skip
        axis.set_xscale("symlog", linthresh=1, linscale=1.5)
        axis.set_xticks(TICKS, [f"{tick}" for tick in TICKS])
        axis.set_ylim(len(claims) - 0.5, -0.5)
        axis.set_title(title(str(json.loads(value))), size=10)
        axis.set_xlabel("ahead by, points")
    np.atleast_1d(axes)[0].set_yticks(range(len(claims)), [claim["text"] for claim in claims])
    shown = [
        Line2D([], [], marker="o", linestyle="", color=COLOURS[0], markerfacecolor=face)
        for face in FILLED.values()
    ]
    figure.legend(shown, list(FILLED), loc="outside lower center", ncols=3)
    return figure
