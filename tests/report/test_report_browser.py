"""The page in a real Chromium: it shows, filters, asks no network, and runs no script but its own."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Request, sync_playwright

from sipsync.report import render
from support.reports import DRY_RUN, PLANS, SHOWN

pytestmark = pytest.mark.browser

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
HOSTILE_TITLE = "<img src=x onerror=document.title='owned'><script>document.title='owned'</script>"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        browser.close()


class Visit:
    """One open page, and everything that it said and asked for."""

    def __init__(self, page: Page, file: Path) -> None:
        self.page = page
        self.said: list[str] = []
        self.asked: list[str] = []
        page.on("console", lambda message: self.said.append(message.text))
        page.on("pageerror", lambda error: self.said.append(str(error)))
        page.on("dialog", lambda dialog: self.said.append(dialog.message))
        page.on("request", self._note)
        page.goto(file.as_uri())

    def _note(self, request: Request) -> None:
        self.asked.append(request.url)

    def shown(self) -> list[str]:
        return [name for name in self.page.locator(".card:visible h4").all_inner_texts()]


Visits = Callable[..., Visit]


@pytest.fixture
def visit(browser: Browser, tmp_path: Path) -> Iterator[Visits]:
    pages: list[Page] = []

    def go(html: str, **context: object) -> Visit:
        file = tmp_path / "page.html"
        file.write_text(html, encoding="utf-8")
        page = browser.new_context(**context).new_page()  # type: ignore[arg-type]  # as a test gives them
        pages.append(page)
        return Visit(page, file)

    yield go
    for page in pages:
        page.context.close()


@pytest.mark.parametrize("name", SHOWN)
def test_it_shows_without_a_word_on_the_console_and_asks_for_nothing(name: str, visit: Visits) -> None:
    seen = visit(render(SHOWN[name], "html"))
    assert seen.page.locator("h1").is_visible()
    assert seen.said == []
    assert [url for url in seen.asked if not url.startswith(("file:", "data:"))] == []
    assert len([url for url in seen.asked if url.startswith("file:")]) == 1


def test_no_script_of_a_title_runs(visit: Visits) -> None:
    seen = visit(render(PLANS["hostile"], "html"))
    assert seen.page.title().startswith("sipsync plan")
    assert seen.page.locator("script").count() == 1
    assert seen.page.locator("bdi.title").first.inner_text().startswith("[red]x[/] \\x1b]8;;")


def test_even_markup_that_got_past_the_escaping_would_not_run(visit: Visits) -> None:
    broken = render(PLANS["update"], "html").replace("Sales", HOSTILE_TITLE)
    seen = visit(broken)
    assert HOSTILE_TITLE in broken
    assert seen.page.title() != "owned"
    assert any("Content Security Policy" in said for said in seen.said)


def test_searching_shows_what_fits_and_says_how_much(visit: Visits) -> None:
    seen = visit(render(PLANS["everything"], "html"))
    assert len(seen.shown()) == 6
    seen.page.fill("#search", "СКЛАД sip.provider")
    assert seen.shown() == ["acme.new"]
    assert seen.page.locator("#count").inner_text() == "1 of 6 lines"
    seen.page.fill("#search", "no such thing")
    assert seen.shown() == []
    assert seen.page.locator("#none").is_visible()
    seen.page.fill("#search", "")
    assert len(seen.shown()) == 6


def test_one_portal_can_be_chosen(visit: Visits) -> None:
    seen = visit(render(PLANS["fleet"], "html"))
    seen.page.select_option("#portal", "portal-08")
    assert seen.shown() == ["portal-08.old"]
    assert seen.page.locator("details.portal:visible").count() == 1


def test_kinds_can_be_hidden(visit: Visits) -> None:
    seen = visit(render(PLANS["everything"], "html"))
    for kind in ("update", "delete", "same"):
        seen.page.uncheck(f"input[value={kind}]")
    assert seen.shown() == ["acme.new"]


def test_the_keyboard_is_enough(visit: Visits) -> None:
    seen = visit(render(PLANS["fleet"], "html"))
    seen.page.keyboard.press("Tab")
    assert seen.page.evaluate("document.activeElement.id") == "search"
    seen.page.keyboard.type("line13")
    assert seen.shown() == ["portal-11.line13"]
    seen.page.keyboard.press("Enter")
    assert seen.shown() == ["portal-11.line13"]


def test_it_is_readable_with_scripts_off(visit: Visits) -> None:
    seen = visit(render(PLANS["everything"], "html"), java_script_enabled=False)
    assert len(seen.shown()) == 6
    assert not seen.page.locator("#filter").is_visible()
    assert seen.page.locator("text=sip.provider.example").first.is_visible()


def test_a_dry_run_shows_its_calls(visit: Visits) -> None:
    seen = visit(render(DRY_RUN, "html"))
    assert seen.page.get_by_text('voximplant.sip.update CONFIG_ID=1 TYPE="cloud" TITLE="A"').is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 390, 1280])
def test_nothing_is_wider_than_the_screen(width: int, scheme: str, visit: Visits) -> None:
    seen = visit(render(PLANS["hostile"], "html"), viewport={"width": width, "height": 800}, color_scheme=scheme)
    assert seen.page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("media", ["screen", "print"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["everything", "guard", "partial"])
def test_every_text_stands_out_from_what_is_behind_it(name: str, scheme: Any, media: Any, visit: Visits) -> None:
    seen = visit(render(SHOWN[name], "html"), color_scheme=scheme)
    seen.page.emulate_media(media=media, color_scheme=scheme)
    weak = seen.page.evaluate(CONTRAST)
    assert weak == []


def test_on_paper_everything_is_unfolded_and_the_filter_is_gone(visit: Visits) -> None:
    seen = visit(render(PLANS["fleet"], "html"))
    seen.page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = false; })")
    seen.page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    seen.page.emulate_media(media="print")
    assert len(seen.shown()) == 38
    assert not seen.page.locator("#filter").is_visible()


# The ratio of WCAG 2, for every element that has text of its own; 4.5 is what level AA asks for.
CONTRAST = """() => {
  const numbers = (color) => {
    const [r, g, b, a = 1] = color.match(/[\\d.]+/g).map(Number);
    return { rgb: [r, g, b], a };
  };
  const light = (rgb) => {
    const [r, g, b] = rgb.map((c) => (c / 255 <= 0.03928 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (let each = element; each; each = each.parentElement) {
      const { rgb, a } = numbers(getComputedStyle(each).backgroundColor);
      if (a === 1) return rgb;
    }
    return [255, 255, 255];
  };
  const weak = [];
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!own || !element.checkVisibility() || element.closest("script, option")) continue;
    const [a, b] = [light(numbers(getComputedStyle(element).color).rgb), light(behind(element))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) weak.push(`${element.className || element.tagName} ${ratio.toFixed(2)}`);
  }
  return [...new Set(weak)];
}"""
