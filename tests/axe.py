"""What axe finds on a page against WCAG 2.1, levels A and AA."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reader import PROJECT

if TYPE_CHECKING:
    from playwright.sync_api import Page

AXE = PROJECT / "theme" / "node_modules" / "axe-core" / "axe.min.js"
RUN = """() => axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'] }).then(({ violations }) =>
    violations.flatMap(({ id, nodes }) => nodes.map(({ html, any, all, none }) =>
        `${id}: ${html.slice(0, 200)} (${[...any, ...all, ...none].map(({ message }) => message).join('; ')})`)))"""


def violations(page: Page) -> list[str]:
    """List the violations on a page as it is, with the element and the reason. The page's policy has to be off."""
    if not page.evaluate("'axe' in window"):
        page.add_script_tag(path=AXE)
    found: list[str] = page.evaluate(RUN)
    return found
