"""A copy of the project in a folder of its own, with parameters of its own."""

import configparser
import io
import json
import shutil
import subprocess
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from pipeline.core import params
from pipeline.core.errors import InputError
from pipeline.core.labelled import closest


def committed(folder: Path, project: Path, commit: str = "HEAD") -> None:
    """Copies what a commit of a project holds."""
    archive = git(project, "archive", "--format=tar", commit)
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        # Python 3.11.2, which Debian 12 has, knows no filters yet.
        files.extraction_filter = getattr(tarfile, "data_filter", None)
        files.extractall(folder)


def sources(folder: Path, project: Path) -> None:
    """Copies the files that git tracks, or would, as they are now, but no results."""
    listed = git(project, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    for name in filter(None, listed.decode().split("\0")):
        if name == "dvc.lock" or name.startswith(("metrics/", "plots/")):
            continue
        if (project / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(project / name, folder / name)


def configure(folder: Path, cache: Path | None) -> None:
    """Lets DVC work in a copy without git, with the cache of another project if one is given."""
    lines = ["[core]", "    no_scm = true"]
    if cache:
        lines += ["[cache]", f"    dir = {cache}"]
    (folder / ".dvc/config.local").write_text("\n".join(lines) + "\n", "utf-8")


def changes(project: Path) -> list[str]:
    """The results in a project that differ from those committed there, as git says it."""
    told = git(project, "status", "--porcelain", "--", "dvc.lock", "metrics", "plots")
    return told.decode().splitlines()


def has_remote(folder: Path) -> bool:
    """Whether a project names a default remote of DVC."""
    config = configparser.ConfigParser()
    config.read(folder / ".dvc/config", "utf-8")
    return config.has_option("core", "remote")


def set_parameters(folder: Path, changes: Mapping[str, Any]) -> None:
    """Changes values of a copy's params.yaml, by dotted keys, as in `{"lora.rank": 8}`."""
    path = folder / params.PARAMS
    content = changed(params.read(path), changes)
    path.write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True), "utf-8")


def set_stages(folder: Path, stages: Mapping[str, Any]) -> None:
    """Gives a copy's dvc.yaml other stages."""
    path = folder / "dvc.yaml"
    content = params.parsed(path) | {"stages": dict(stages)}
    path.write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True), "utf-8")


def changed(content: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """The content of params.yaml with other values for some dotted keys.

    `+KEY` adds a key to a section, one of those that may be left out, as DVC's `-S` does.

    Raises:
        InputError: if there is no such key, or no such section.
    """
    result: dict[str, Any] = json.loads(json.dumps(content))  # sections that share a value part
    for key, value in changes.items():
        section: Any = result
        path, _, last = key.removeprefix("+").rpartition(".")
        for name in path.split(".") if path else []:
            section = section.get(name) if isinstance(section, dict) else None
        if not isinstance(section, dict) or (last not in section and not key.startswith("+")):
            hint = closest(key, _keys(content))
            raise InputError(f"{params.PARAMS}: no key {key}; {hint}")
        section[last] = value
    return result


def _keys(content: Mapping[str, Any], prefix: str = "") -> list[str]:
    keys = []
    for name, value in content.items():
        keys.append(f"{prefix}{name}")
        if isinstance(value, dict):
            keys += _keys(value, f"{prefix}{name}.")
    return keys


def git(project: Path, *arguments: str) -> bytes:
    """What a command of git prints in a project.

    Raises:
        InputError: if it fails.
    """
    done = subprocess.run(("git", *arguments), cwd=project, capture_output=True, check=False)
    if done.returncode:
        raise InputError(f"git {arguments[0]}: {done.stderr.decode().strip()}")
    return done.stdout
