"""Where data of the user's own are."""

from pathlib import Path

from pipeline.core.errors import InputError
from pipeline.sources.messages import readable, say

WHOLE = "write the whole path, from / on"


def existing(path: str) -> Path:
    """The file or folder that `data.path` names.

    Raises:
        InputError: if there is none.
    """
    place, current = Path(path), Path.cwd()
    outside = not place.is_absolute() and not (current / place).resolve().is_relative_to(
        current.resolve()
    )
    found = f"params.yaml: data.path is {readable(path)}"
    if place.exists():
        if outside and not in_copy():
            say(f"{found}, which experiments in copies (--temp, --queue) won't find; {WHOLE}")
        return place
    if not in_copy() or place.is_absolute():
        raise InputError(f"{found}: no such file or folder")
    if outside:
        raise InputError(
            f"{found}, which leads out of the repository, and this is a copy of it for an "
            f"experiment: {WHOLE}"
        )
    raise InputError(
        f"{found}, which this copy of the repository for an experiment lacks, "
        f"as neither git nor DVC tracks it: `dvc add` it, or {WHOLE}"
    )


def in_copy() -> bool:
    """Whether this is a copy of the repository that DVC made for an experiment.

    It does so for `--temp` and `--queue`; a copy holds what git or DVC tracks, and has other
    neighbours.
    """
    return "/.dvc/tmp/" in f"{Path.cwd().as_posix()}/"
