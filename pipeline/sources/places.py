"""Where data of the user's own are."""

from pathlib import Path

from pipeline.core.errors import InputError
from pipeline.sources.messages import readable, say


def existing(path: str) -> Path:
    """The file or folder that `data.path` names.

    DVC runs experiments (`--temp`, `--queue`) in copies of the repository, which hold what git or
    DVC tracks and have other neighbours.

    Raises:
        InputError: if there is none.
    """
    place, here = Path(path), Path.cwd()
    outside = not place.is_absolute() and not (here / place).resolve().is_relative_to(
        here.resolve()
    )
    copy = "/.dvc/tmp/exps/" in f"{here.as_posix()}/"
    found = f"params.yaml: data.path is {readable(path)}"
    whole = "write the whole path, from / on"
    if place.exists():
        if outside and not copy:
            say(f"{found}, which experiments in copies (--temp, --queue) won't find; {whole}")
        return place
    if not copy or place.is_absolute():
        raise InputError(f"{found}: no such file or folder")
    if outside:
        raise InputError(
            f"{found}, which leads out of the repository, and this is a copy of it for an "
            f"experiment: {whole}"
        )
    raise InputError(
        f"{found}, which this copy of the repository for an experiment lacks, "
        f"as neither git nor DVC tracks it: `dvc add` it, or {whole}"
    )
