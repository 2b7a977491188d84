"""Parts of labelled rows: stratified, and equal rows always on the same side."""

import hashlib
import math
import sys
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from pipeline.core.errors import InputError
from pipeline.sources.messages import listed

Rows = npt.NDArray[np.int64]


def keys(inputs: npt.NDArray[np.generic]) -> npt.NDArray[np.uint64]:
    """A number for each row, `(n,)`: the same for the same bytes, and in practice for no others."""
    found = np.empty(len(inputs), np.uint64)
    for place, row in enumerate(np.asarray(inputs)):
        found[place] = int.from_bytes(hashlib.blake2b(row.tobytes(), digest_size=8).digest())
    return found


def firsts(of: npt.NDArray[np.uint64]) -> Rows:
    """For each row, the first one with the same key: `(n,)`."""
    _, first, same = np.unique(of, return_index=True, return_inverse=True)
    rows: Rows = first[same]
    return rows


def stratified(
    labels: npt.NDArray[np.int64],
    of: npt.NDArray[np.uint64],
    share: float,
    seed: int,
    classes: Sequence[str],
) -> tuple[Rows, Rows]:
    """Holds a share of every class out, at random.

    Where all keys differ this is scikit-learn's `train_test_split`, except that no class is left
    without a row on either side. Rows of the same key follow the first of them.

    Args:
        labels: `(n,)`, indices into `classes`.
        of: the rows' keys, `(n,)`.
        share: of the different rows that is held out.
        seed: of the partition.
        classes: the names of all classes.

    Returns:
        The rows that stay and those that are held out, each in ascending order.

    Raises:
        InputError: if a class has but one row that differs.
    """
    first = firsts(of)
    different = np.flatnonzero(first == np.arange(len(first)))
    counts = np.bincount(labels[different], minlength=len(classes))
    if scarce := [name for name, count in zip(classes, counts, strict=True) if count == 1]:
        raise InputError(
            f"too few to hold out {share:g} of class {listed(scarce)}: "
            "at least two inputs that differ are needed"
        )
    chosen = different[_held_out(labels[different], share, seed)]
    # More than what comes of whole rows.
    if abs(len(chosen) - share * len(different)) > 1 + len(classes) / 2:
        print(
            f"of {len(different):,} inputs {len(chosen):,} are held out, not a share of {share:g}: "
            "no class is left without one on either side",
            file=sys.stderr,
        )
    out = np.isin(first, chosen)
    return np.flatnonzero(~out), np.flatnonzero(out)


def _held_out(labels: npt.NDArray[np.int64], share: float, seed: int) -> npt.NDArray[np.bool_]:
    """Which rows are held out: some of every class, never all of it."""
    from sklearn.model_selection import train_test_split  # takes a second

    of_class = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    out = np.zeros(len(labels), bool)
    count = math.ceil(share * len(labels))
    if len(of_class) <= count <= len(labels) - len(of_class):
        _, held_out = train_test_split(
            np.arange(len(labels)), test_size=share, stratify=labels, random_state=seed
        )
        out[held_out] = True
    else:  # so few that scikit-learn refuses
        for rows in of_class:
            out[_some(rows, round(share * len(rows)), seed)] = True
    for rows in of_class:
        if not out[rows].any():
            out[_some(rows, 1, seed)] = True
        elif out[rows].all():
            out[_some(rows, 1, seed)] = False
    return out


def _some(rows: Rows, count: int, seed: int) -> Rows:
    return np.random.default_rng(seed).permutation(rows)[:count]
