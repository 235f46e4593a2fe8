"""The theme on a book with one of everything that MyST offers: `theme/tests/book`."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import numpy as np
import pytest
from axe import violations
from file_server import serving
from PIL import Image
from playwright.sync_api import expect
from reader import CHROMIUM_OPTIONS, PROJECT, Scheme, open_page, page_paths, pixels, plain, rest, scroll_through, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from playwright.sync_api import Browser, Locator, Page

BOOK = PROJECT / "theme" / "tests" / "book"
PICTURES = PROJECT / "theme" / "tests" / "pictures"
BUILD_SECONDS = 120
NAMES = ["", "text", "boxes", "figures", "notebook", "rest", "rtl"]
LOOKS: dict[str, tuple[int, Scheme]] = {"light": (1440, "light"), "dark": (1440, "dark"), "phone": (360, "light")}

# What a picture may differ by: fonts of other machines move letters, but neither boxes nor pictures.
SHRUNK = 4
BLOCK_PX = 12
BLOCK_LEVELS = 26
BLOCK_SHARE = 0.02
HEIGHT_SHARE = 0.02

# Starts the theme's server and writes down what MyST asks it for, and what it asks MyST's content server for.
RECORDER = """import { appendFileSync } from 'node:fs';
import { Server } from 'node:http';
const say = (record) => appendFileSync(process.env.CONTRACT_LOG, JSON.stringify(record) + '\\n');
const names = ['PORT', 'HOST', 'CONTENT_CDN_PORT', 'MODE', 'BASE_URL'];
say({ environment: Object.fromEntries(names.map((name) => [name, process.env[name]])) });
const emit = Server.prototype.emit;
Server.prototype.emit = function (event, ...rest) {
  if (event === 'request') say({ asked: rest[0].url });
  return emit.call(this, event, ...rest);
};
const ask = globalThis.fetch;
globalThis.fetch = (address, ...rest) => { say({ asks: new URL(address).pathname }); return ask(address, ...rest); };
await import('./build/server.mjs');
"""


def build(folder: Path, **environment: str) -> tuple[Path, list[dict[str, Any]], str]:
    """Build the book in a folder of its own; return the site, what was asked for meanwhile, and what MyST said."""
    theme, log = folder / "theme", folder / "contract.jsonl"
    for name in ("build", "public", "tests/book"):
        shutil.copytree(
            PROJECT / "theme" / name, theme / name, ignore=shutil.ignore_patterns("_build"), dirs_exist_ok=True
        )
    template = (PROJECT / "theme" / "template.yml").read_text(encoding="utf-8")
    (theme / "template.yml").write_text(template.replace("build/server.mjs", "recorder.mjs"), encoding="utf-8")
    (theme / "recorder.mjs").write_text(RECORDER, encoding="utf-8")
    process = subprocess.Popen(
        [Path(sys.executable).parent / "myst", "build", "--html"],
        cwd=theme / "tests" / "book",
        env={**os.environ, "CONTRACT_LOG": str(log), **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,  # so that the theme's server ends with it
    )
    try:
        output, _ = process.communicate(timeout=BUILD_SECONDS)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    assert process.returncode == 0, output[-2000:]
    records = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    return theme / "tests" / "book" / "_build" / "html", records, output


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[dict[str, Any]], str]:
    return build(tmp_path_factory.mktemp("everything"))


@pytest.fixture(scope="session")
def everything(built: tuple[Path, list[dict[str, Any]], str]) -> Iterator[str]:
    """Where the book with one of everything is served."""
    with serving(built[0]) as served:
        yield served


@pytest.fixture
def opened(browser: Browser, everything: str) -> Iterator[Any]:
    """A function that opens a page of the book; nothing may go wrong on it until the test's end."""
    contexts = []

    def open_at(name: str, **options: Any) -> Page:
        context = open_page(browser, f"{everything}/{name}{'/' if name else ''}", **options)
        page, problems = context.__enter__()
        contexts.append((context, problems))
        return page

    yield open_at
    for context, problems in contexts:
        context.__exit__(None, None, None)
        assert problems == []


# What MyST and the theme promise one another


def test_myst_reads_the_book_without_a_word(built: tuple[Path, list[dict[str, Any]], str]) -> None:
    assert complaints(built[2]) == []


def complaints(output: str) -> list[str]:
    return [line for line in output.splitlines() if re.search("⚠|⛔|rror", line)]


def test_the_servers_contract_with_mystmd(built: tuple[Path, list[dict[str, Any]], str]) -> None:
    """A mystmd that asks for something else, or says something else, is noticed here."""
    site, records, _ = built
    environment = next(record["environment"] for record in records if "environment" in record)
    assert environment["MODE"] == "static"
    assert {name for name, value in environment.items() if value} == {"PORT", "HOST", "CONTENT_CDN_PORT", "MODE"}
    pages = [name for name in NAMES if name]
    fixed = ["/robots.txt", "/myst-theme.css", "/sitemap.xml", "/sitemap_style.xsl", "/favicon.ico"]
    asked = {record["asked"] for record in records if "asked" in record}
    expected = {"/", "/index.json", *fixed, *(f"/{name}" for name in pages), *(f"/{name}.json" for name in pages)}
    assert asked == expected
    asks = {record["asks"] for record in records if "asks" in record}
    assert {"/config.json", *(f"/content/{name}.json" for name in [*pages, "index"])} <= asks
    assert all(re.match(r"/(?:config\.json$|content/|[0-9a-z-]+\.(?:png|webp|txt|json)$)", path) for path in asks), asks
    written = {path.name for path in site.iterdir()}
    assert {"assets", "build", "config.json", "myst.search.json", "myst.xref.json", "objects.inv"} <= written
    for path in site.rglob("*.html"):
        assert "myst_assets_folder" not in path.read_text(encoding="utf-8"), f"{path}: a folder's name was not replaced"


def test_what_the_theme_reads_of_pages_is_there(built: tuple[Path, list[dict[str, Any]], str]) -> None:
    site = built[0]
    config = json.loads((site / "config.json").read_text(encoding="utf-8"))
    assert {"title", "options", "projects"} <= config.keys()
    assert {"index", "pages", "title", "authors", "license"} <= config["projects"][0].keys()
    assert {"slug", "title", "level"} <= config["projects"][0]["pages"][-1].keys()
    page = json.loads((site / "figures.json").read_text(encoding="utf-8"))
    assert {"kind", "slug", "location", "frontmatter", "mdast", "references"} <= page.keys()
    front = page["frontmatter"]
    assert {"title", "authors", "affiliations", "license", "edit_url", "thumbnail", "exports"} <= front.keys()
    search = json.loads((site / "myst.search.json").read_text(encoding="utf-8"))
    assert {record["type"] for record in search["records"]} >= {"lvl1", "lvl2", "content"}
    assert all({"hierarchy", "url", "type"} <= record.keys() for record in search["records"])


STOCK_NODES = """
import { DEFAULT_RENDERERS } from 'myst-to-react';
import { ANY_RENDERERS } from '@myst-theme/anywidget';
console.log(JSON.stringify([...Object.keys(DEFAULT_RENDERERS), ...Object.keys(ANY_RENDERERS)]));
"""


def test_the_content_suits_the_stock_theme(site: Path) -> None:
    """Every kind of node in the book is one that MyST's own renderers know, so that `book-theme` shows it too."""
    command = ["node", "--input-type=module", "--eval", STOCK_NODES]
    listed = subprocess.run(command, cwd=PROJECT / "theme", capture_output=True, text=True, check=True)
    # The last three come with its notebook package.
    known = {*json.loads(listed.stdout), "outputs", "output", "mermaid"}
    pages = [json.loads(path.read_text(encoding="utf-8")) for path in site.glob("*.json")]
    trees = [page["mdast"] for page in pages if isinstance(page, dict) and "mdast" in page]
    assert trees
    assert {kind for tree in trees for kind in kinds(tree)} - known == set()


def kinds(node: dict[str, Any]) -> set[str]:
    return {node["type"]}.union(*(kinds(child) for child in node.get("children") or []))


# Each construct


@pytest.mark.parametrize("name", NAMES)
def test_every_node_has_a_renderer(name: str, opened: Any) -> None:
    page = opened(name, policy=True)
    scroll_through(page)
    text = page.locator("main").inner_text()
    assert not re.search(r":::|\{\w+\}`|Unknown|Untyped|is not implemented", text)
    assert page.locator("article [class*='unhandled'], article [data-name='unknown']").count() == 0
    overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.evaluate(overflow) <= 0


CONSTRUCTS = {
    "text": {
        "em": 3, "article strong": 2, "article sub": 2, "article sup": 3, "kbd": 2, "del": 1, "abbr[title]": 3,
        "li.task input": 2, "article dl": 2, "blockquote": 3, "hr": 1, ".citation": 5, ".footnote-mark a": 2,
        ".references li": 2, ".footnotes li": 2, ".math": 3, ".math-number": 3, ".math-inline": 2,
        "aside.margin-note": 4, "a[download]": 2, "article h2": 8, "article h3": 1, "article h4": 1, "a.reference": 10,
    },
    "boxes": {
        ".admonition": 14, "details.admonition": 2, ".disclosure": 4, ".tabs .tab": 2, ".grid .card": 2,
        "section.statement": 7, ".code pre": 8, ".code .numbered": 1, ".line.emphasized": 1, ".mermaid .diagram svg": 1,
        ".code-name": 2, "figure figcaption": 1,
    },
    "figures": {
        "figure.figure-figure": 13, "figure .panels": 2, "video": 1, ".frame a": 1, "table": 6, "th[colspan='2']": 1,
        "td[rowspan='2']": 1, ".widget[data-widget='open']": 1, ".figure-source a": 1, ".output-html table": 1,
    },
    "notebook": {
        ".output-stream": 3, ".output-stderr": 1, ".output-plain": 3, ".output-error": 1, ".output-html table": 1,
        ".output-image": 2, ".output-plotly .main-svg": 2, ".output-markdown": 2, "details.fold-code": 11,
        ".ansi-red": 1,
    },
    "rest": {
        ".masthead .abstract": 1, ".masthead .keypoints li": 2, "section.part h2": 2, ".output-html table": 1,
        "article dt": 4, "img.align-right": 1, "blockquote": 1, "figure .panels figure": 2, "section.statement": 8,
        ".code pre": 3, ".math": 2, ".citation": 3,
    },
}  # fmt: skip


@pytest.mark.parametrize("name", CONSTRUCTS)
def test_each_construct_is_there(name: str, opened: Any) -> None:
    page = opened(name, policy=True)
    scroll_through(page)
    found = {selector: page.locator(selector).count() for selector in CONSTRUCTS[name]}
    assert {selector: found[selector] for selector, least in CONSTRUCTS[name].items() if found[selector] < least} == {}


def test_what_a_paper_has_around_its_text_is_there(opened: Any) -> None:
    page = opened("rest")
    order = page.locator("article > *").evaluate_all("parts => parts.map((part) => part.className + part.innerText)")
    at = [next(k for k, part in enumerate(order) if words in part) for words in ("One point.", "in a file of its own")]
    at += [next(k for k, part in enumerate(order) if words in part) for words in ("We thank", "A lens")]
    assert at == sorted(at)
    assert order[at[0]].startswith("masthead")
    assert page.get_by_text("One point.").count() == 1, "the part is in the text, too"
    assert "Another one." in order[at[0]], "a second block of a part is lost"


def test_a_formula_of_several_rows_has_one_number(opened: Any) -> None:
    rows = opened("rest").locator(".math .eqn-num")
    assert rows.count() == 2
    assert rows.evaluate_all("rows => rows.map((row) => getComputedStyle(row, '::before').content)") == ["none"] * 2


def test_an_index_leads_to_its_entries(opened: Any) -> None:
    page = opened("rest")
    targets = page.locator("article dl a").evaluate_all("links => links.map((link) => link.getAttribute('href'))")
    assert len(targets) >= 4
    for target in targets:
        path, _, place = target.partition("#")
        other = opened(path.strip("/") or "rest") if path else page
        assert not place or other.locator(f"[id='{place}']").count() == 1, target


def test_a_picture_may_stand_at_the_end_of_the_text(opened: Any) -> None:
    page = opened("rest")
    picture, text = page.locator("img.align-right").bounding_box(), page.locator("article p").first.bounding_box()
    assert picture["x"] + picture["width"] == pytest.approx(text["x"] + text["width"], abs=2)


def test_a_film_plays(opened: Any) -> None:
    film = opened("figures").locator("video")
    film.scroll_into_view_if_needed()
    film.evaluate("film => { film.muted = true; return film.play(); }")
    until(film.page, "document.querySelector('video').currentTime > 0.2")


@pytest.mark.parametrize("name", ["notebook", "rest"])
def test_a_saved_widget_lives_without_a_kernel_where_it_is_shown_or_embedded(name: str, opened: Any) -> None:
    page = opened(name, policy=True)
    page.locator(".widget.saved").scroll_into_view_if_needed()
    button = page.locator(".widget.saved").get_by_role("button")
    expect(button).to_have_text("Saved at 7, 4 levels")
    button.click()
    expect(button).to_have_text("Saved at 8, 4 levels")


# Looks


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("name", NAMES)
def test_it_looks_as_it_did(name: str, look: str, browser: Browser, everything: str) -> None:
    """`PYTHONPATH=tests python tests/site/test_theme.py` draws the reference pictures, after an intended change."""
    reference = PICTURES / f"{name or 'index'}-{look}.webp"
    assert reference.is_file(), (
        f"{reference}: no such picture; draw it with PYTHONPATH=tests python tests/site/test_theme.py"
    )
    with Image.open(reference) as image:
        before = np.asarray(image.convert("L"), dtype=float)
    now = np.asarray(picture(browser, everything, name, look).convert("L"), dtype=float)
    assert abs(len(now) - len(before)) <= HEIGHT_SHARE * len(before), "the page has another height"
    share = differing(before, now)
    assert share <= BLOCK_SHARE, f"{share:.1%} of the picture is another"


def test_another_look_is_noticed(browser: Browser, everything: str) -> None:
    with Image.open(PICTURES / "boxes-light.webp") as image:
        before = np.asarray(image.convert("L"), dtype=float)
    spoiled = ".admonition { background: #444; } .tabs { display: none; }"
    now = np.asarray(picture(browser, everything, "boxes", "light", style=spoiled).convert("L"), dtype=float)
    assert differing(before, now) > BLOCK_SHARE


def picture(browser: Browser, address: str, name: str, look: str, style: str = "") -> Image.Image:
    """Draw a whole page, made smaller."""
    width, scheme = LOOKS[look]
    path = f"{address}/{name}{'/' if name else ''}"
    with open_page(browser, path, width=width, scheme=scheme, reduced_motion="reduce") as (page, _):
        if style:
            page.add_style_tag(content=style)
        scroll_through(page)
        page.evaluate("scrollTo({ top: 0, behavior: 'instant' })")
        until(page, "[...document.querySelectorAll('video')].every(({ readyState }) => readyState >= 2)")
        rest(page, 400)
        image = Image.fromarray(pixels(page.screenshot(full_page=True)))
    return image.resize((image.width // SHRUNK, image.height // SHRUNK), Image.Resampling.BOX)


def differing(before: NDArray[np.uint8], now: NDArray[np.uint8]) -> float:
    """Return the share of blocks in which two pictures differ, block by block, allowing for a shift down the page."""
    rows = min(len(before), len(now)) // BLOCK_PX
    columns = before.shape[1] // BLOCK_PX

    def blocks(image: NDArray[np.uint8]) -> NDArray[np.float64]:
        cut = image[: rows * BLOCK_PX, : columns * BLOCK_PX]
        means: NDArray[np.float64] = cut.reshape(rows, BLOCK_PX, columns, BLOCK_PX).mean(axis=(1, 3))
        return means

    one, other = blocks(before), blocks(now)
    near = [np.abs(one - np.roll(other, shift, axis=0)) for shift in (-1, 0, 1)]
    return float((np.min(near, axis=0) > BLOCK_LEVELS).mean())


# Search


def test_search_by_keyboard(opened: Any) -> None:
    page = opened("text", policy=True)
    dialog = page.get_by_role("dialog", name="Search the book")
    with page.expect_request("**/myst.search.json"):
        page.keyboard.press("/")
    expect(dialog).to_be_visible()
    until(page, "document.querySelector('.search-status').textContent === ''")
    page.keyboard.type("chromosomes")
    option = dialog.get_by_role("option")
    expect(option.first).to_contain_text("Glossary")
    expect(option.first.locator("mark")).to_have_text("chromosomes")
    assert option.first.get_attribute("aria-selected") == "true"
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    page.keyboard.press("Control+k")
    expect(dialog).to_be_visible()
    page.keyboard.type("figure")
    expect(option.nth(1)).to_be_visible()
    page.keyboard.press("ArrowDown")
    assert option.nth(1).get_attribute("aria-selected") == "true"
    chosen = option.nth(1).get_attribute("href")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{chosen}")


def test_search_says_that_nothing_was_found_and_closes(opened: Any) -> None:
    page = opened("boxes")
    page.get_by_role("button", name="Search").first.click()
    dialog = page.get_by_role("dialog", name="Search the book")
    dialog.get_by_role("combobox").fill("xylophone")
    expect(dialog.get_by_role("status")).to_have_text("Nothing in this book is about “xylophone”.")
    dialog.get_by_role("button", name="Close").click()
    expect(dialog).to_be_hidden()


def test_typing_a_slash_in_a_field_does_not_search(opened: Any) -> None:
    page = opened("boxes")
    page.evaluate("document.querySelector('article').prepend(document.createElement('textarea'))")
    page.locator("textarea").press("/")
    expect(page.locator("#search")).to_be_hidden()


# Figures


def test_the_index_of_figures(opened: Any) -> None:
    images: list[str] = []
    page = opened("text")
    page.on("request", lambda request: images.append(request.url) if request.resource_type == "image" else None)
    page.get_by_role("button", name="Figures").click()
    index = page.get_by_role("dialog", name="Figures and tables")
    expect(index).to_be_visible()
    expect(index.get_by_role("button", name="Close")).to_be_focused()
    entries = [plain(text) for text in index.get_by_role("link").all_inner_texts()]
    assert "Figure 1 Nuclei Figures and tables" in entries
    assert "Table 1 Counts of three panoramas Figures and tables" in entries
    until(page, "[...document.querySelectorAll('.thumbnail img')].some((image) => image.naturalWidth > 0)")
    assert images
    index.get_by_role("link", name="Figure 4").click()
    page.wait_for_url("**/figures/#fig-compare")


def test_a_figure_of_the_same_page_is_gone_to_without_losing_what_is_selected(opened: Any) -> None:
    page = opened("figures")
    page.evaluate("history.replaceState(null, '', '?gate=a,b;1,2'); window.stayed = true")
    for _ in range(2):
        page.get_by_role("button", name="Figures").click()
        index = page.get_by_role("dialog", name="Figures and tables")
        index.get_by_role("link", name="Figure 4").click()
        page.wait_for_url("**/figures/?gate=a,b;1,2#fig-compare")
        expect(index).to_be_hidden()
        until(page, "Math.abs(document.getElementById('fig-compare').getBoundingClientRect().top) < innerHeight / 2")
        page.evaluate("scrollTo(0, 0)")
    assert page.evaluate("window.stayed")


def test_a_picture_is_enlarged_by_keyboard_and_moved(opened: Any) -> None:
    page = opened("figures", policy=True)
    image = page.locator("#fig-one img")
    image.focus()
    page.keyboard.press("Enter")
    magnifier = page.locator("dialog.magnifier")
    expect(magnifier).to_be_visible()
    expect(magnifier).to_contain_text("Figure 1: Nuclei. Simulated")
    large = magnifier.locator("img")
    before = scale_of(large)
    page.keyboard.press("+")
    page.keyboard.press("+")
    assert scale_of(large) > 2 * before
    at = large.bounding_box()
    page.keyboard.press("ArrowLeft")
    assert large.bounding_box()["x"] > at["x"]
    page.mouse.move(700, 400)
    page.mouse.wheel(0, -400)
    assert scale_of(large) > 2.5 * before
    page.keyboard.press("0")
    assert scale_of(large) == pytest.approx(before)
    page.keyboard.press("Escape")
    expect(magnifier).to_have_count(0)
    assert image.evaluate("image => image === document.activeElement")


def test_two_fingers_enlarge_a_picture(opened: Any) -> None:
    page = opened("figures", width=360, has_touch=True)
    page.locator("#fig-one img").tap()
    large = page.locator("dialog.magnifier img")
    large.wait_for()
    before = scale_of(large)
    session = page.context.new_cdp_session(page)
    for spread, kind in [(20, "touchStart"), (40, "touchMove"), (80, "touchMove"), (None, "touchEnd")]:
        points = (
            [] if spread is None else [{"x": 180 - spread, "y": 400, "id": 0}, {"x": 180 + spread, "y": 400, "id": 1}]
        )
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    assert scale_of(large) > 2.5 * before


def scale_of(image: Locator) -> float:
    return float(image.evaluate("image => new DOMMatrix(getComputedStyle(image).transform).a"))


def test_a_comparison_follows_its_slider(opened: Any) -> None:
    page = opened("figures", policy=True)
    panels = page.locator("#fig-compare .panels")
    slider = panels.get_by_role("slider")
    expect(slider).to_have_accessible_name("Between “The image” and “Its masks”")
    first, second = (panels.locator("img").nth(at).bounding_box() for at in (0, 1))
    assert first == second, "the pictures aren't on top of one another"
    box = slider.bounding_box()
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    left, width = panels.bounding_box()["x"], panels.bounding_box()["width"]
    page.mouse.click(left + 0.25 * width, box["y"] + box["height"] / 2)
    uncovered = panels.evaluate("panels => parseFloat(panels.style.getPropertyValue('--at'))")
    assert uncovered == pytest.approx(25, abs=1.5)
    slider.press("ArrowRight")
    assert panels.evaluate("panels => parseFloat(panels.style.getPropertyValue('--at'))") > uncovered


# Previews

PREVIEWED = {
    "figure": ("a.reference[href$='#fig-one']", "Nuclei. Simulated"),
    "equation": ("a.reference[href='#eq-one']", "(1)"),
    "table": ("a.reference[href$='#tbl-one']", "Counts of three panoramas."),
    "theorem": ("a.reference[href$='#thm-one']", "The sum of areas"),
    "exercise": ("a.reference[href$='#ex-one']", "How many nuclei"),
    "section": ("a.reference[href='#marks']", "Text may be"),
    "term": ("a.reference[href='#term-nucleus']", "holds its chromosomes"),
    "citation": ("a.citation", "A lens for small things"),
    "footnote": (".footnote-mark a", "A footnote, with marks"),
    "page": ("article a[href='/boxes/']", "Admonitions, folds, tabs"),
}


@pytest.mark.parametrize("kind", PREVIEWED)
def test_a_reference_shows_what_it_leads_to(kind: str, opened: Any) -> None:
    selector, expected = PREVIEWED[kind]
    page = opened("text", policy=True)
    link = page.locator(selector).first
    link.scroll_into_view_if_needed()
    link.hover()
    card = page.locator(".preview")
    expect(card).to_be_visible()
    expect(card).to_contain_text(expected)
    page.keyboard.press("Escape")
    expect(card).to_be_hidden()


def test_a_preview_comes_by_keyboard(opened: Any) -> None:
    page = opened("text")
    page.locator("a.citation").first.focus()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Tab")
    expect(page.locator(".preview")).to_contain_text("A lens for small things")
    assert page.locator(".preview a").evaluate_all("links => links.map(({ tabIndex }) => tabIndex)") == [-1]
    page.keyboard.press("Tab")
    expect(page.locator(".preview")).not_to_contain_text("A lens for small things")


def test_a_tap_previews_and_a_second_follows(opened: Any) -> None:
    page = opened("text", width=360, has_touch=True)
    link = page.locator("a.reference[href$='#fig-one']").first
    link.tap()
    card = page.locator(".preview")
    expect(card).to_contain_text("Nuclei.")
    assert page.url.endswith("/text/")
    link.tap()
    page.wait_for_url("**/figures/#fig-one")


def test_an_abbreviation_is_explained_by_a_tap(opened: Any) -> None:
    page = opened("text", width=360, has_touch=True)
    page.locator("abbr", has_text="DAPI").tap()
    expect(page.locator(".preview")).to_have_text("A stain of DNA")
    page.locator("h1").tap()
    expect(page.locator(".preview")).to_be_hidden()


# What a page says of itself


def test_what_machines_read(opened: Any) -> None:
    page = opened("figures")
    meta = dict(
        page.evaluate(
            """[...document.querySelectorAll('meta[name], meta[property]')].map((meta) =>
                [meta.name || meta.getAttribute('property'), meta.content])"""
        )
    )
    assert meta["citation_title"] == "Figures and tables"
    assert meta["citation_publication_date"] == "2026/02/03"
    assert meta["citation_doi"] == "10.5555/everything"
    assert meta["og:url"] == "https://example.org/everything/figures/"
    assert re.fullmatch(r"https://example\.org/everything/build/nuclei-\w+\.png", meta["og:image"])
    assert page.locator("link[rel=canonical]").get_attribute("href") == meta["og:url"]
    article, dataset = map(json.loads, page.locator("script[type='application/ld+json']").all_inner_texts())
    assert dataset["@type"] == "Dataset", "the page shows cells"
    assert article["@type"] == "ScholarlyArticle"
    assert [author["name"] for author in article["author"]] == ["Ada Example", "Ben Muster"]


def test_the_foot_of_a_page(opened: Any) -> None:
    page = opened("figures")
    foot = page.locator("footer.colophon")
    edit = foot.get_by_role("link", name="Edit this page").get_attribute("href")
    assert re.fullmatch(r"https://github\.com/example/everything/edit/main/.*figures\.md", edit)
    launch = foot.get_by_role("link", name="Run on Binder").get_attribute("href")
    assert launch == "https://mybinder.org/v2/gh/example/everything/HEAD?urlpath=lab"
    with page.expect_download() as download:
        foot.get_by_role("link", name="BibTeX").click()
    assert download.value.suggested_filename == "figures.bib"
    text = Path(download.value.path()).read_text(encoding="utf-8")
    assert text.startswith("@incollection{figures,\n  author = {Example, Ada and Muster, Ben},")
    cff = unquote(foot.get_by_role("link", name="CFF").get_attribute("href").split(",", 1)[1])
    assert "cff-version: 1.2.0" in cff
    assert 'doi: "10.5555/everything"' in cff
    for name in ("This page as Markdown", "Counts of the table", "JATS XML"):
        with page.expect_download() as download:
            foot.get_by_role("link", name=name).click()
        assert Path(download.value.path()).stat().st_size > 0
    assert download.value.suggested_filename == "book.xml"
    assert page.get_by_role("navigation", name="Breadcrumbs").inner_text().split() == [
        "One",
        "of",
        "everything",
        "Parts",
    ]


def test_the_site_map_and_the_robots(built: tuple[Path, list[dict[str, Any]], str]) -> None:
    sitemap = (built[0] / "sitemap.xml").read_text(encoding="utf-8")
    found = re.findall(r"<loc>https://example\.org/everything(/.*?)</loc>", sitemap)
    assert sorted(found) == page_paths(built[0])
    assert "Sitemap: https://example.org/everything/sitemap.xml" in (built[0] / "robots.txt").read_text(
        encoding="utf-8"
    )


# Safety


@pytest.mark.parametrize("name", NAMES)
def test_nothing_of_the_content_runs(name: str, opened: Any) -> None:
    page = opened(name, policy=True)
    scroll_through(page)
    assert page.evaluate("window.ranForeign") is None
    handlers = """[...document.querySelectorAll('*')].flatMap((element) =>
        [...element.attributes].map(({ name }) => name)).filter((name) => /^on/i.test(name))"""
    assert page.evaluate(handlers) == []
    others = page.eval_on_selector_all(
        "a[href^='http']",
        "links => links.filter(({ origin }) => origin !== location.origin).map((link) => [link.href, link.rel])",
    )
    assert [link for link, rel in others if "noopener" not in rel] == []


def test_the_policy_stops_scripts_of_others(browser: Browser, everything: str) -> None:
    injected = """async () => {
        const add = (tag, how) => {
            const element = Object.assign(document.createElement(tag), how);
            document.body.append(element);
            return element;
        };
        add('script', { src: 'http://127.0.0.1:9/foreign.js' });
        add('script', { textContent: 'window.ranForeign = true' });
        add('div', {}).innerHTML = '<img src="data:," onerror="window.ranForeign = true">';
        setTimeout("window.ranForeign = true");
        await fetch('http://127.0.0.1:9/data').catch(() => undefined);
        await import('data:text/javascript,window.ranForeign=true').catch(() => undefined);
        await new Promise((done) => setTimeout(done, 200));
        return window.ranForeign;
    }"""
    with open_page(browser, f"{everything}/text/", policy=True) as (page, problems):
        assert page.evaluate(injected) is None
    stopped = "\n".join(problems)
    for part in ("foreign.js", "inline script", "inline event handler", "127.0.0.1:9/data", "data:text/javascript"):
        assert part in stopped, f"{part}: nothing stopped it"


# For everyone


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", NAMES)
def test_axe_finds_nothing(name: str, scheme: str, opened: Any) -> None:
    page = opened(name, scheme=scheme)
    scroll_through(page)
    assert violations(page) == []


def test_axe_finds_nothing_in_what_opens(opened: Any) -> None:
    page = opened("figures")
    page.keyboard.press("/")
    page.locator("#search input").fill("nuclei")
    page.get_by_role("option").first.wait_for()
    found = violations(page)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Figures").click()
    found += violations(page)
    page.keyboard.press("Escape")
    page.locator("#fig-one img").click()
    page.locator("dialog.magnifier").wait_for()
    found += violations(page)
    assert found == []


def test_axe_finds_nothing_in_the_drawer(opened: Any) -> None:
    page = opened("text", width=360)
    page.get_by_role("button", name="Contents").click()
    expect(page.get_by_role("navigation", name="Contents of the book")).to_be_visible()
    assert violations(page) == []


@pytest.mark.parametrize("name", NAMES)
def test_twice_as_large_nothing_is_cut_off(name: str, opened: Any) -> None:
    """200 % zoom of a window of 1280 px is a window of 640 px; WCAG asks for 320 px as well."""
    for width in (640, 320):
        page = opened(name, width=width)
        scroll_through(page)
        overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert page.evaluate(overflow) <= 0, f"wider than {width} px"


def test_a_first_column_of_numbers_takes_no_room_of_words(opened: Any) -> None:
    page = opened("notebook", width=390)
    widths = page.locator(".output-html").first.evaluate(
        """output => ['right', 'left'].map((align) => {
            output.innerHTML = `<table><tr><td style="text-align:${align}">1</td><td>685</td></tr></table>`;
            output.querySelector('table').style.minWidth = 0;
            return output.querySelector('td').offsetWidth;
        })"""
    )
    assert widths[0] < 50
    assert widths[1] > 100


def test_without_javascript_the_text_and_the_ways_are_there(opened: Any) -> None:
    page = opened("figures", java_script_enabled=False)
    both = [page.locator("#fig-compare img").nth(at).bounding_box() for at in (0, 1)]
    assert both[0]["x"] + both[0]["width"] <= both[1]["x"], "the pictures of a comparison aren't side by side"
    expect(page.locator("#fig-one figcaption")).to_be_visible()
    expect(page.get_by_role("button", name="Search")).to_have_count(0)
    page.get_by_role("button", name="Figures").click()
    expect(page.get_by_role("dialog", name="Figures and tables")).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_role("link", name="A notebook").first.click()
    page.wait_for_url("**/notebook/")
    expect(page.locator(".output-html table")).to_be_visible()


def test_without_javascript_a_diagram_is_its_text(opened: Any) -> None:
    page = opened("boxes", java_script_enabled=False)
    expect(page.locator(".mermaid pre")).to_contain_text("flowchart LR")
    page.locator(".tab", has_text="Shell").locator("label").click()
    expect(page.locator(".tab-panel", has_text="make book")).to_be_visible()


def test_from_right_to_left(opened: Any) -> None:
    page = opened("rtl")
    article = page.locator("article").bounding_box()
    heading = page.locator("article h2").first.bounding_box()
    assert page.locator("article").evaluate("article => getComputedStyle(article).direction") == "rtl"
    marks = page.locator("blockquote").evaluate("quote => getComputedStyle(quote).borderRightWidth")
    assert marks != "0px"
    assert heading["x"] + heading["width"] > article["x"] + article["width"] / 2


def test_keyboard_alone_reaches_everything(opened: Any) -> None:
    page = opened("boxes")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the text")).to_be_focused()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    reached = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.add(
            page.evaluate(
                "document.activeElement.closest('details, .tabs, .code, .mermaid, .page-turn, .colophon')?.className"
            )
        )
    assert any("admonition" in name for name in reached if name)
    assert {"tabs", "colophon", "page-turn"} <= reached


# Below a base


def test_below_a_base_and_where_its_port_is_taken(tmp_path: Path, browser: Browser) -> None:
    with socket.create_server(("localhost", 0)) as other:
        port = str(other.getsockname()[1])
        site, records, output = build(tmp_path / "build", BASE_URL="/a/book", PORT=port)
    starts = [record["environment"] for record in records if "environment" in record]
    assert [start["BASE_URL"] for start in starts] == ["/a/book"] * 2
    assert starts[0]["PORT"] == port != starts[1]["PORT"]
    assert complaints(output) == []
    (tmp_path / "served" / "a").mkdir(parents=True)
    (tmp_path / "served" / "a" / "book").symlink_to(site, target_is_directory=True)
    with serving(tmp_path / "served") as address:
        for name in NAMES:
            with open_page(browser, f"{address}/a/book/{name}{'/' if name else ''}", policy=True) as (page, problems):
                scroll_through(page)
                if name == "text":
                    page.locator("a.reference[href$='#fig-one']").first.hover()
                    expect(page.locator(".preview img")).to_be_visible()
                    page.keyboard.press("/")
                    page.locator("#search input").fill("telophase mermaid")
                    page.get_by_role("option").first.click()
                    page.wait_for_url("**/a/book/boxes/#mermaid")
                assert problems == []


def draw_references() -> None:
    """Draw the reference pictures of all pages."""
    import tempfile

    from playwright.sync_api import sync_playwright

    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=CHROMIUM_OPTIONS)
        with serving(build(Path(folder))[0]) as address:
            for name in NAMES:
                for look in LOOKS:
                    drawn = picture(browser, address, name, look)
                    drawn.save(PICTURES / f"{name or 'index'}-{look}.webp", quality=55, method=6)
        browser.close()


if __name__ == "__main__":
    draw_references()
