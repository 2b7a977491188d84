"""`python -m pipeline export METHOD FOLDER` puts all that a model needs into a folder."""

import sys
import tempfile
from pathlib import Path

from pipeline.app import graph, layout, model_card
from pipeline.app.arguments import Parser
from pipeline.app.models import Predictor
from pipeline.core import artifacts
from pipeline.core.errors import InputError
from pipeline.learning import models
from pipeline.new_class import results
from pipeline.sources.messages import readable

STATISTICS = Path("data/statistics")
CARD = "README.md"
PARSER = Parser(
    "export",
    "Puts a model into a new folder: its weights (model.safetensors, config.json; in timm's layout "
    "where the trunk is timm's), an ONNX graph, the statistics from which it can learn further "
    "classes, and a model card (README.md). The graph takes pixels as they are, and the strength "
    "as an input where the method has one; it is held against PyTorch on all validation images, "
    "and nothing is written if it differs.",
    "The graph needs the extra onnx: uv pip install -e '.[onnx]'.",
)
PARSER.add_argument("method", metavar="METHOD", help="a method of the run, or base")
PARSER.add_argument("folder", metavar="FOLDER", type=Path, help="where to; new, or empty")


def main(words: list[str]) -> None:
    """Writes the folder, or nothing.

    Raises:
        InputError: if the words are refused, something is missing, or the folder is not empty.
    """
    given = PARSER.parse_args(words)
    folder: Path = given.folder
    _free(folder)
    predictor = Predictor.load(given.method)
    with_graph = not graph.missing()
    if not with_graph:
        print(
            f"export: {model_card.GRAPH} is left out, as {', '.join(graph.missing())} is not "
            "installed: uv pip install -e '.[onnx]'",
            file=sys.stderr,
        )
    try:
        # Beside its place, so that it appears there as a whole.
        above = next(path for path in folder.absolute().parents if path.is_dir())
        with tempfile.TemporaryDirectory(dir=above, prefix=f".{folder.name}.") as temporary:
            complete = Path(temporary) / folder.name
            _write(complete, predictor, with_graph)
            folder.parent.mkdir(parents=True, exist_ok=True)
            complete.replace(folder)
    except OSError as error:
        shown = readable(str(folder))
        raise InputError(f"{shown}: cannot be written: {error.strerror}") from None
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        print(f"{readable(str(file))}  {file.stat().st_size:,} bytes")


def _free(folder: Path) -> None:
    """Refuses a place where something is."""
    shown = readable(str(folder))
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise InputError(f"{shown}: is no folder; a new or an empty one accepted")
    if folder.is_dir() and any(folder.iterdir()):
        raise InputError(f"{shown}: is not empty; a new or an empty folder accepted")


def _write(folder: Path, predictor: Predictor, with_graph: bool) -> None:
    validation = results.validation("split")
    of_timm = layout.save(folder, predictor)
    written, expected = (
        each.logits(validation.inputs).numpy() for each in (layout.load(folder), predictor)
    )
    graph.equal(f"{layout.WEIGHTS}: what was written is not the model", written, expected)
    if with_graph:
        content = graph.of(predictor)
        graph.check(content, predictor, validation)
        artifacts.save_bytes(folder / model_card.GRAPH, content)
    for file in _statistics(predictor):
        artifacts.save_bytes(folder / model_card.STATISTICS / file.name, artifacts.load_bytes(file))
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    names = [file.relative_to(folder).as_posix() for file in files]
    text = model_card.text(predictor, names, of_timm)
    artifacts.save_bytes(folder / CARD, text.encode())


def _statistics(predictor: Predictor) -> list[Path]:
    """The files of statistics, if they are of this model's features.

    Raises:
        InputError: if there are none.
    """
    base = Predictor.load()
    if models.trunk_name(predictor.model.trunk) != models.trunk_name(base.model.trunk):
        return []
    found = sorted(STATISTICS.glob("*.safetensors"))
    if not found:
        raise InputError(
            f"{STATISTICS}: nothing there; `dvc repro` makes it, `dvc pull` fetches it"
        )
    return found
