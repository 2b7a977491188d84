"""Takes the pictures of the page in docs/, of the run in the current folder.

`python -m tests.app.screenshots taught phone` of a run on MNIST, `signs` of one on hand signs.
"""

import math
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image
from playwright.sync_api import FloatRect, Page, ViewportSize, expect

from pipeline.core.labelled import Labelled
from tests.app.browsing import Points, answered, chromium, draw, teach
from tests.app.conftest import serving

WIDE, PHONE = (
    FloatRect(x=0, y=0, width=1200, height=950),
    FloatRect(x=0, y=0, width=360, height=1210),
)


def heart(wider: float = 1.0, higher: float = 1.0) -> Points:
    """A heart, drawn from its notch."""
    turns = [math.tau * part / 80 for part in range(81)]
    return [
        (
            140 + 98 * wider * math.sin(turn) ** 3,
            125 - 7.2 * higher * sum(
                weight * math.cos(times * turn)
                for times, weight in enumerate((13, -5, -2, -1), 1)
            ),
        )
        for turn in turns
    ]  # fmt: skip


def taught(page: Page) -> None:
    """Teaches a heart from three drawings, and draws another one."""
    for shape in (heart(), heart(wider=0.85), heart(higher=0.85)):
        draw(page, shape)
        page.locator("#add").click()
        expect(page.locator("#hint")).to_be_visible()
    teach(page, "heart")
    draw(page, heart(wider=0.95))
    page.mouse.move(0, 0)


def signs(page: Page) -> None:
    """Teaches the new sign from three photographs, and shows another one."""
    parts = [Labelled.load(f"data/split/new_{name}") for name in ("train", "validation")]
    images = [*parts[0].inputs[:3], parts[1].inputs[0]]
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder, f"{number}.png") for number in range(len(images))]
        for file, image in zip(files, images, strict=True):
            Image.fromarray(np.ascontiguousarray(np.moveaxis(image, 0, -1))).save(file)
        page.locator("#more").set_input_files(files[:3])
        expect(page.locator("#examples .full")).to_have_count(3)
        teach(page, "0")
        page.locator("#choose").set_input_files(files[3])
        answered(page)


SHOTS: dict[str, tuple[Callable[[Page], None], FloatRect, Literal["light", "dark"]]] = {
    "taught": (taught, WIDE, "light"),
    "phone": (taught, PHONE, "dark"),
    "signs": (signs, WIDE, "light"),
}


def main(names: list[str]) -> None:
    """Takes some of them."""
    with serving(Path()) as (_, address), chromium() as browser:
        for name in names:
            steps, shown, scheme = SHOTS[name]
            size = ViewportSize(width=int(shown["width"]), height=int(shown["height"]))
            page = browser.new_page(viewport=size, color_scheme=scheme)
            page.goto(address)
            expect(page.locator("#bars tr")).not_to_have_count(0)
            steps(page)
            page.evaluate("scrollTo(0, 0)")
            page.wait_for_timeout(1000)  # bars move
            page.screenshot(path=f"docs/page_{name}.png", clip=shown)


if __name__ == "__main__":
    main(sys.argv[1:])
