"""Networks and weights from outside: a model saved here, or one of timm's."""

from pathlib import Path
from typing import Any

from torch import Tensor

from pipeline.core import artifacts
from pipeline.core.errors import InputError
from pipeline.learning import backbones, models
from pipeline.new_class.starting import Network, Start

NAMES = "classes.txt"
"""A file in `network.path` with the names of a classifier's classes, one a line, in their order."""
STATISTICS = tuple(f"{name}.safetensors" for name in ("gaussians", "sums", "moments", "fisher"))
"""Files in `network.path` of the old classes, from another run's `data/statistics`, `data/fisher`.
"""
UNKNOWN = "unknown"


def start(network: Network) -> Start:
    """What `network.trunk` and `network.weights` name.

    Raises:
        InputError: naming what is missing, unknown, out of reach or of another form.
    """
    own = network.trunk in backbones.HERE
    if own and network.weights == "none":
        return Start({}, {}, None, "")
    found = _saved_here(network) if own else _of_timm(network)
    if not found.classes:
        return found
    kept = {name: Path(network.path) / name for name in STATISTICS}
    contents = {n: artifacts.load_bytes(path) for n, path in kept.items() if path.is_file()}
    return found._replace(statistics=contents)


def _saved_here(network: Network) -> Start:
    """The model of another run of this pipeline, as in its `data/base`."""
    path = _file(network)
    model = models.load(path)
    kind = model.description["network"]
    if network.trunk not in ("auto", kind):
        raise InputError(f"{path}: holds a network {kind}; network.trunk is {network.trunk}")
    left = ("shape", "classes", "dropout", "known")
    description = {key: value for key, value in model.description.items() if key not in left}
    classes = _classes(network, None, model.description["classes"], path)
    return Start(description, _weights(model.state_dict(), classes), classes, UNKNOWN)


def _of_timm(network: Network) -> Start:
    name = _name(network)
    if network.weights == "none":
        return Start(backbones.described(_created(network, name)), {}, None, "")
    if network.weights == "pretrained":
        model, found = _pretrained(network, name), network.trunk
    else:
        path = _file(network)
        model, found = _with_file(network, name, path), str(path)
    description = backbones.described(model)
    trunk, head = backbones.divided(model, description)
    bias = head.weight.new_zeros(head.out_features) if head.bias is None else head.bias
    weights = {f"trunk.2.{key}": value for key, value in trunk.state_dict().items()}
    weights |= {"head.output.weight": head.weight, "head.output.bias": bias}
    classes = _classes(network, model.pretrained_cfg, head.out_features, found)
    licence = model.pretrained_cfg.get("license") or UNKNOWN
    return Start(description | {"hidden": []}, _weights(weights, classes), classes, licence)


def _name(network: Network) -> str:
    """The trunk as timm names it, a folder by its path."""
    source, _, name = network.trunk.partition(":")
    if source != "local-dir":
        return network.trunk
    folder = _within(network, name, "network.trunk")
    if not (folder / "config.json").is_file():
        raise InputError(
            f"params.yaml: network.trunk is {network.trunk}, but {folder} has no config.json; a "
            "folder as timm.models.save_for_hf writes it accepted"
        )
    return f"local-dir:{folder}"


def _file(network: Network) -> Path:
    """The file of the weights: one within `network.path`, or that itself."""
    place = Path(network.path)
    path = place if place.is_file() else _within(network, network.weights, "network.weights")
    if not path.is_file() or (place.is_file() and place.name != Path(network.weights).name):
        raise InputError(
            f"params.yaml: network.weights is {network.weights}, but there is no such file in "
            f"network.path, {network.path}"
        )
    return path


def _within(network: Network, name: str, key: str) -> Path:
    """A file or folder in `network.path`, which is what the stage depends on."""
    place = Path(network.path)
    path = place / name
    if Path(name) == place or not path.resolve().is_relative_to(place.resolve()):
        path = Path(name)
    if not path.resolve().is_relative_to(place.resolve()):
        raise InputError(
            f"params.yaml: {key} is {name}, which is not in network.path, {network.path}"
        )
    return path


def _created(network: Network, name: str, **arguments: Any) -> Any:
    """A network of timm; whatever the library or its source raises becomes one line."""
    try:
        return backbones.create(name, **arguments)
    except InputError:
        raise
    except Exception as error:  # each client of a network raises errors of its own
        reason = " ".join(str(error).split())[:160] or type(error).__name__
        raise InputError(f"params.yaml: network.trunk {network.trunk}: {reason}") from None


def _pretrained(network: Network, name: str) -> Any:
    source = name.partition(":")[0]
    if source not in backbones.ELSEWHERE:
        _created(network, name)  # refuses what has no such name
        import timm

        if not timm.models.is_model_pretrained(name):
            raise InputError(
                f"params.yaml: network.weights is pretrained, but timm has no weights of "
                f"{network.trunk}; none, or a file accepted"
            )
    try:
        return backbones.create(name, pretrained=True)
    except InputError:
        raise
    except Exception as error:  # each client of a network raises errors of its own
        reason = " ".join(str(error).split())[:100] or type(error).__name__
        way = (
            ""
            if source == "local-dir"
            else "; without a network, bring them as a file or as local-dir:NAME in network.path"
        )
        raise InputError(
            f"params.yaml: the weights of network.trunk {network.trunk} can't be had ({reason})"
            f"{way}"
        ) from None


def _with_file(network: Network, name: str, path: Path) -> Any:
    """A network of timm with the weights of a file, whose head says how many classes it has.

    (With `pretrained_cfg_overlay` timm drops a head that has another number than it expects.)
    """
    import timm

    plain = _created(network, name)
    classifier = plain.pretrained_cfg.get("classifier")
    artifacts.load_bytes(path)
    try:
        weights = timm.models.load_state_dict(str(path), device="cpu", weights_only=True)
        rows = weights.get(f"{classifier}.weight")
    except Exception as error:  # of torch, safetensors and pickle
        reason = " ".join(str(error).split())[:100]
        raise InputError(
            f"{path}: cannot be read as weights ({reason}); convert it to safetensors"
        ) from None
    if not isinstance(classifier, str) or rows is None:
        raise InputError(
            f"{path}: has no {classifier}.weight, the classifier of {network.trunk}; weights of "
            "the whole network are accepted"
        )
    model = _created(network, name, num_classes=len(rows))
    own = {key: tuple(value.shape) for key, value in model.state_dict().items()}
    given = {key: tuple(value.shape) for key, value in weights.items()}
    for key in (*own, *given):
        if own.get(key) != given.get(key):
            raise InputError(
                f"{path}: not the weights of {network.trunk}: {key} is "
                f"{given.get(key, 'missing')}, {own.get(key, 'no part')} of the network"
            )
    model.load_state_dict(weights)
    return model


def _classes(
    network: Network, config: dict[str, Any] | None, count: int, found: Path | str
) -> list[str] | None:
    """The names of a trained classifier's classes; None if nobody says, or a new head is asked.

    Those of `classes.txt` in `network.path`, or of timm's `label_names`.
    """
    if network.head != "auto":
        return None
    file = Path(network.path) / NAMES
    names: Any = (config or {}).get("label_names")
    where = f"{found}: label_names"
    if file.is_file():
        names, where = _lines(file), str(file)
    if not names:
        return None
    if isinstance(names, dict):  # by their indices, which JSON makes text
        indices = [str(index) for index in range(len(names))]
        if wrong := [key for key in names if str(key) not in indices]:
            raise InputError(f"{where} has the key {wrong[0]!r}; indices from 0 on accepted")
        names = [name for _, name in sorted(names.items(), key=lambda item: int(item[0]))]
    if not isinstance(names, list | tuple):
        raise InputError(f"{where} is {names!r}; a list of names accepted")
    classes = [str(name) for name in names]
    if len(classes) != count or len(set(classes)) != count:
        raise InputError(
            f"{where} has {len(set(classes))} different names, but the classifier has {count} "
            "classes"
        )
    return classes


def _lines(file: Path) -> list[str]:
    """The lines of a text, without the mark that some editors put before the first."""
    try:
        return artifacts.load_bytes(file).decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise InputError(
            f"{file}: byte {error.start + 1} is not of a text in UTF-8, which is accepted"
        ) from None


def _weights(state: dict[str, Tensor], classes: list[str] | None) -> dict[str, Tensor]:
    """Weights as they are saved: without a head that nobody has named the classes of."""
    return {
        name: (weight.float() if weight.is_floating_point() else weight).detach().contiguous()
        for name, weight in state.items()
        if classes or name.startswith("trunk.")
    }
