"""A real browser, and what a visitor does on the page."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
Points = Sequence[tuple[float, float]]


@contextmanager
def chromium() -> Iterator[Browser]:
    """The system's Chromium; a test without it would prove nothing."""
    path = shutil.which("chromium")
    assert path, "chromium is missing: apt-get install chromium"
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield found
        found.close()


def draw(page: Page, points: Points) -> None:
    """Draws a stroke on an empty sheet, and waits for the answer."""
    page.locator("#clear").click()
    sheet = page.locator("#canvas")
    sheet.scroll_into_view_if_needed()
    box = sheet.bounding_box()
    assert box
    page.mouse.move(box["x"] + points[0][0], box["y"] + points[0][1])
    page.mouse.down()
    for x, y in points[1:]:
        page.mouse.move(box["x"] + x, box["y"] + y)
    page.mouse.up()
    answered(page)
    expect(verdict(page, "base")).not_to_have_text("–")


def answered(page: Page) -> None:
    """Waits until the bars are of what the sheet shows."""
    expect(page.locator("#answers")).to_have_attribute("aria-busy", "false")


def verdict(page: Page, model: str) -> Locator:
    """What a model calls it."""
    return page.locator(f"#verdicts .{model} .verdict")


def teach(page: Page, name: str) -> None:
    """Teaches a class from three examples that were added."""
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Teach").click()
    expect(page.locator("#taught-name")).to_have_text(f"{name}, from 3 examples")
