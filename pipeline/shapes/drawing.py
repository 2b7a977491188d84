"""Drawn shapes: labelled images made here, of as many as one likes, with nothing to download."""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

Pixels = npt.NDArray[np.uint8]
Colours = npt.NDArray[np.uint16]
Points = list[tuple[float, float]]

CORNERS = {"triangle": 3, "square": 4, "pentagon": 5, "hexagon": 6, "heptagon": 7, "octagon": 8}
RANDOM = ("polygon", "blob")
SHAPES = [
    *CORNERS, *RANDOM, "circle", "ellipse", "semicircle", "star", "hexagram", "cross", "rectangle",
    "arrow", "several", "checks", "noise",
]  # fmt: skip
"""All that `draw` can draw.

A `polygon` has corners at random places, `several` are small polygons, a `blob` is a smooth curve;
`checks` and `noise` fill the image, `noise` with random pixels.
"""

FINER = 4
"""Shapes are drawn this much larger, then reduced, which makes their edges smooth."""
CONTRAST = 60
"""Smallest difference in luminance (0…255) between a shape and its background."""


def images(
    shapes: Sequence[str], per_class: int, size: int, seed: int
) -> tuple[Pixels, npt.NDArray[np.int64]]:
    """Draws equally many images of some shapes, one shape after the other.

    Args:
        shapes: names from `SHAPES`.
        per_class: images of each.
        size: height and width, pixels.
        seed: the same seed gives the same images, byte for byte.

    Returns:
        Images `(n, 3, size, size)` and labels `(n,)`, indices into `shapes`.

    Raises:
        ValueError: if a shape is unknown.
    """
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(len(shapes)), per_class)
    drawn = np.empty((len(labels), 3, size, size), np.uint8)
    for place, label in enumerate(labels.tolist()):
        drawn[place] = draw(shapes[label], rng, size)
    return drawn, labels


def draw(shape: str, rng: np.random.Generator, size: int) -> Pixels:
    """Draws one image: place, size, angle, colours, background and outline are random.

    Args:
        shape: name from `SHAPES`.
        rng: source of all chance.
        size: height and width, pixels.

    Returns:
        `(3, size, size)`, red, green and blue.

    Raises:
        ValueError: if the shape is unknown.
    """
    if shape not in SHAPES:
        raise ValueError(f"no shape is named {shape!r}; accepted: {', '.join(SHAPES)}")
    if shape == "noise":
        return rng.integers(256, size=(3, size, size), dtype=np.uint8)
    colours = _colours(rng)
    share = _mask(shape, rng, size).astype(np.uint16)
    background = _background(colours[1], colours[2], rng, size)
    mixed: Colours = background * (255 - share) + colours[0][:, None, None] * share
    return ((mixed + 127) // 255).astype(np.uint8)


def _colours(rng: np.random.Generator) -> Colours:
    """A colour for the shape and two for its background, both much darker or much lighter."""
    while True:
        colours: Colours = rng.integers(256, size=(3, 3), dtype=np.uint16)
        shape, *background = (0.299 * r + 0.587 * g + 0.114 * b for r, g, b in colours.tolist())
        if shape - max(background) >= CONTRAST or min(background) - shape >= CONTRAST:
            return colours


def _background(colour: Colours, other: Colours, rng: np.random.Generator, size: int) -> Colours:
    """Plain, a gradient to another colour, or with light noise: `(3, size, size)`."""
    plain = np.broadcast_to(colour[:, None, None], (3, size, size))
    kind = rng.integers(3)
    if kind == 0:
        return plain
    if kind == 1:
        ramp = np.linspace(0, 255, size).astype(np.uint16)
        ramp = ramp[:, None] if rng.integers(2) else ramp
        return (plain * (255 - ramp) + other[:, None, None] * ramp) // 255
    grain = rng.integers(-20, 21, size=plain.shape, dtype=np.int16)
    return (plain.astype(np.int16) + grain).clip(0, 255).astype(np.uint16)


def _mask(shape: str, rng: np.random.Generator, size: int) -> Pixels:
    """How much of each pixel the shape covers: `(size, size)`, 0…255."""
    canvas = size * FINER
    radius = canvas * rng.uniform(0.24, 0.45)
    reach = radius + canvas * 0.03
    x, y = rng.uniform(reach, canvas - reach, 2)
    angle = rng.uniform(0, 2 * math.pi)
    aspect = rng.uniform(0.4, 0.65)
    if shape == "checks":
        return _checks(canvas, x, y, angle, width=radius * aspect)
    if shape == "several":
        return _several(canvas, rng)
    outline = _outline(rng, smooth=shape == "blob") if shape in RANDOM else OUTLINES.get(shape)
    image = Image.new("L", (canvas, canvas))
    pen = ImageDraw.Draw(image)

    def fill(value: int, inset: float) -> None:
        points = (
            [(u * (radius - 2 * inset), v * (radius - 2 * inset)) for u, v in outline]
            if outline
            else _points(shape, radius, aspect, inset)
        )
        pen.polygon(_placed(points, x, y, angle), fill=value)

    fill(255, inset=0)
    if rng.integers(2):
        fill(0, inset=canvas * rng.uniform(0.03, 0.055))
    return np.asarray(image.reduce(FINER))


def _checks(canvas: int, x: float, y: float, angle: float, width: float) -> Pixels:
    """A board of squares, which fills the image."""
    across, down = np.arange(canvas) - x, np.arange(canvas)[:, None] - y
    u = across * math.cos(angle) + down * math.sin(angle)
    v = down * math.cos(angle) - across * math.sin(angle)
    squares = np.floor(u / width) + np.floor(v / width)
    dark = squares.astype(np.int32) & 1
    return np.asarray(Image.fromarray((255 * dark).astype(np.uint8)).reduce(FINER))


def _several(canvas: int, rng: np.random.Generator) -> Pixels:
    """Two to four small polygons."""
    image = Image.new("L", (canvas, canvas))
    for _ in range(rng.integers(2, 5)):
        radius = canvas * rng.uniform(0.1, 0.25)
        x, y = rng.uniform(radius, canvas - radius, 2)
        outline = [(u * radius, v * radius) for u, v in _outline(rng, smooth=False)]
        ImageDraw.Draw(image).polygon(_placed(outline, x, y, 0), fill=255)
    return np.asarray(image.reduce(FINER))


def _outline(rng: np.random.Generator, smooth: bool) -> Points:
    """A random closed line around the origin, its farthest point at distance 1."""
    if smooth:
        angles = np.linspace(0, 2 * math.pi, 64, endpoint=False)
        radii = np.ones(64)
        for wave in range(1, 6):
            height, phase = rng.normal(scale=0.5 / wave), rng.uniform(0, 2 * math.pi)
            radii += height * np.cos(wave * angles + phase)
        radii = abs(radii) + 0.1
    else:
        gaps = rng.uniform(0.3, 1, rng.integers(4, 11))
        angles = 2 * math.pi * gaps.cumsum() / gaps.sum()
        radii = rng.uniform(0.3, 1, len(gaps))
    radii /= radii.max()
    return [
        (radius * math.cos(angle), radius * math.sin(angle))
        for radius, angle in zip(radii.tolist(), angles.tolist(), strict=True)
    ]


def _points(shape: str, radius: float, aspect: float, inset: float) -> Points:
    """The corners of a shape around the origin, its edges moved inwards by `inset`."""
    if shape in CORNERS:
        corners = CORNERS[shape]
        return _ring([radius - inset / math.cos(math.pi / corners)], corners)
    if shape == "star":
        outer = radius - inset / math.cos(math.radians(72))
        inner = outer * math.cos(math.radians(72)) / math.cos(math.radians(36))
        return _ring([outer, inner], 10)
    if shape == "cross":
        half = radius * aspect / 2 - inset
        end = radius * math.sqrt(1 - (aspect / 2) ** 2) - inset
        arm = [(end, -half), (end, half), (half, half)]
        turns = [(1, 0), (0, 1), (-1, 0), (0, -1)]
        return [(x * c - y * s, x * s + y * c) for c, s in turns for x, y in arm]
    wide = radius - inset
    high = radius * (aspect if shape == "ellipse" else 1) - inset
    return [(x * wide, y * high) for x, y in _ring([1], 64)]


def _ring(radii: Sequence[float], corners: int) -> Points:
    """Corners at equal angles around the origin, the radii taken in turn."""
    step = 2 * math.pi / corners
    return [
        (radii[k % len(radii)] * math.cos(k * step), radii[k % len(radii)] * math.sin(k * step))
        for k in range(corners)
    ]


def _placed(points: Points, x: float, y: float, angle: float) -> Points:
    """Turns points and moves them, to whole pixels."""
    c, s = math.cos(angle), math.sin(angle)
    return [(round(x + u * c - v * s), round(y + u * s + v * c)) for u, v in points]


OUTLINES: dict[str, Points] = {
    "rectangle": [(0.9, 0.4), (-0.9, 0.4), (-0.9, -0.4), (0.9, -0.4)],
    "arrow": [(1, 0), (0.3, 0.6), (0.3, 0.25), (-1, 0.25), (-1, -0.25), (0.3, -0.25), (0.3, -0.6)],
    "hexagram": _ring([1, 0.55], 12),
    "semicircle": [(u, v) for u, v in _ring([1], 64) if v >= 0],
}
"""Shapes of one form, within a radius of 1."""
