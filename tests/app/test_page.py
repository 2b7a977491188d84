"""The page in a real browser: draw, compare, slide, teach, take back, download, load."""

import math
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.app.browsing import answered, chromium, draw, teach, verdict

PHONE = {"width": 360, "height": 740}
ZERO = [(140 + 55 * math.sin(t / 4), 140 - 85 * math.cos(t / 4)) for t in range(27)]
ONE = [(150, 40), (140, 240)]
ZIGZAG = [(40, 100), (90, 180), (140, 100), (190, 180), (240, 100)]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """The page, opened by a visitor of its own; it may load nothing from elsewhere, nor fail."""
    page = browser.new_page(accept_downloads=True)
    page.set_default_timeout(15_000)
    expect.set_options(timeout=15_000)
    requests: list[str] = []
    problems: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda line: problems.append(line.text) if line.type == "error" else None)
    page.goto(address)
    expect(page.locator("#bars tr")).not_to_have_count(0)
    expect(page.locator("#examples li")).to_have_count(10)
    yield page
    page.context.close()
    assert not problems
    assert {url.split("/")[2] for url in requests if not url.startswith(("data:", "blob:"))} == {
        address.split("/")[2]
    }


def bars(page: Page, model: str) -> list[str]:
    return page.locator(f"#bars .{model}").all_inner_texts()


def teach_zigzag(page: Page) -> None:
    for lift in (0, 10, -15):
        draw(page, [(x, y + lift * (place % 2)) for place, (x, y) in enumerate(ZIGZAG)])
        page.locator("#add").click()
        expect(page.locator("#hint")).to_be_visible()
    teach(page, "zigzag")


def test_bars_change_as_one_draws(page: Page) -> None:
    empty = bars(page, "base")
    draw(page, ONE)
    one = bars(page, "base")
    draw(page, ZERO)
    assert len({tuple(each) for each in (empty, one, bars(page, "base"))}) == 3
    assert len(one) == 10
    seen = page.locator("#seen")
    assert seen.evaluate("image => image.naturalWidth") == 28


def test_base_and_method_are_compared_at_every_strength(page: Page) -> None:
    draw(page, ZERO)
    trained = bars(page, "method")
    assert trained != bars(page, "base")
    slider = page.get_by_role("slider", name="Strength")
    slider.focus()
    page.keyboard.press("Home")
    expect(page.locator("#curve-text")).to_contain_text("at strength 0.00")
    answered(page)
    assert bars(page, "method") == bars(page, "base")
    place = page.locator("#curve circle").first.get_attribute("cx")
    page.keyboard.press("End")
    expect(page.locator("#curve-text")).to_contain_text("at strength 2.00")
    assert page.locator("#curve circle").first.get_attribute("cx") != place
    page.get_by_label("Method").select_option("replay")
    expect(slider).to_be_disabled()
    expect(page.locator("#verdicts .method .model")).to_have_text("replay")


@pytest.mark.slow
def test_a_class_is_taught_taken_back_downloaded_and_loaded(page: Page, tmp_path: Path) -> None:
    draw(page, ZERO)
    before = {model: bars(page, model) for model in ("base", "method")}
    teach_zigzag(page)
    expect(page.locator("#figures dd")).to_have_count(3)
    expect(page.locator("#lost-counts td")).to_have_count(9)
    draw(page, ZIGZAG)
    expect(verdict(page, "taught")).to_have_text("zigzag")
    taught = bars(page, "taught")

    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()
    file = tmp_path / download.value.suggested_filename
    download.value.save_as(file)
    assert file.name == "zigzag.safetensors"

    page.get_by_role("button", name="Take back").click()
    expect(page.locator("#verdicts .taught")).to_have_count(0)
    draw(page, ZERO)
    answered(page)
    assert {model: bars(page, model)[:10] for model in ("base", "method")} == before

    page.locator("#load").set_input_files(file)
    expect(page.locator("#taught-name")).to_have_text("zigzag, from 3 examples")
    draw(page, ZIGZAG)
    assert bars(page, "taught") == taught


def test_pictures_are_chosen_and_removed_and_errors_are_one_line(
    page: Page, pictures: Path, tmp_path: Path
) -> None:
    files = sorted((pictures / "0").iterdir())[:3]
    page.locator("#choose").set_input_files(files[0])
    expect(verdict(page, "base")).not_to_have_text("–")
    page.locator("#more").set_input_files(files)
    expect(page.locator("#examples .full")).to_have_count(3)
    page.get_by_role("button", name="Remove example 1").press("Enter")
    expect(page.locator("#examples .full")).to_have_count(2)
    page.reload()
    expect(page.locator("#examples .full")).to_have_count(2)


def test_what_is_wrong_is_said(browser: Browser, address: str, tmp_path: Path) -> None:
    page = browser.new_page()
    page.goto(address)
    expect(page.locator("#examples li")).to_have_count(10)  # it is ready
    page.get_by_role("button", name="Add as an example").click()
    expect(page.get_by_role("alert")).to_contain_text("nothing on the sheet")
    (tmp_path / "no.safetensors").write_text("none")
    page.locator("#load").set_input_files(tmp_path / "no.safetensors")
    expect(page.get_by_role("alert")).to_contain_text("not a safetensors file")
    page.get_by_role("button", name="Clear").click()
    page.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_contrast_and_a_phone_need_not_scroll_sideways(
    browser: Browser, address: str, scheme: str
) -> None:
    page = browser.new_page(viewport=PHONE, color_scheme=scheme)  # type: ignore[arg-type]
    page.goto(address)
    draw(page, ZERO)
    expect(page.locator("#questions details")).not_to_have_count(0)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert page.evaluate(CONTRAST) == []
    page.context.close()


CONTRAST = """() => {
  // Texts whose contrast is below 4.5 (WCAG AA); colours of this page are opaque.
  const light = (colour) => {
    const parts = colour.match(/[\\d.]+/g).slice(0, 3).map((value) => value / 255);
    const [r, g, b] = parts.map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const clear = (colour) => /, 0\\)$/.test(colour) || colour === "transparent";
  const ground = (node) => {
    const colour = getComputedStyle(node).backgroundColor;
    return clear(colour) ? ground(node.parentElement) : colour;
  };
  const bad = [];
  for (const node of document.querySelectorAll("body *")) {
    const own = [...node.childNodes].some((each) => each.nodeType === 3 && each.data.trim());
    if (!own || node.matches(":disabled") || !node.checkVisibility()) continue;
    const style = getComputedStyle(node);
    const colour = node.namespaceURI.endsWith("svg") ? style.fill : style.color;
    if (clear(colour)) continue;
    const [one, other] = [light(colour), light(ground(node))].sort((a, b) => b - a);
    if ((one + 0.05) / (other + 0.05) < 4.5) bad.push(node.textContent.slice(0, 40));
  }
  return bad;
}"""


def test_everything_is_reached_by_keyboard(page: Page) -> None:
    reached = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.id"))
    wanted = {"clear", "choose", "add", "method", "strength", "more", "name", "load"}
    assert wanted <= reached


def test_the_committed_results_are_shown(page: Page) -> None:
    expect(page.locator("#questions details")).not_to_have_count(0)
    assert page.locator(".figures tbody tr").count() >= 3
