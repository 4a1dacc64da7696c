"""What everybody needs of what is shown: no objection of axe, text and targets of some size, and no page wider than a phone."""

from __future__ import annotations

from pathlib import Path

import axe_playwright_python
from playwright.sync_api import Page

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")

_AXE = """async (within) => {
  const { violations, passes } = await axe.run(within ? { include: [within] } : document);
  if (!passes.length) return [["axe has found nothing to look at"]];
  return violations.map(({ id, nodes }) => [id, nodes[0].html, nodes[0].any.map((each) => each.message).join()]); }"""

_SMALL = """(root) => [...root.querySelectorAll("*")].filter((each) => each.checkVisibility() &&
     [...each.childNodes].some((node) => node.nodeType === 3 && node.data.trim()))
   .map((each) => [each.textContent.trim().slice(0, 30), parseFloat(getComputedStyle(each).fontSize)
     * (each.getScreenCTM?.().a ?? 1)])
   .filter(([, size]) => size < 10.99).map(([words, size]) => ["small text", words, size])"""

_NARROW = """(root) => [...root.querySelectorAll("button, select, input, textarea, summary, [role=slider]")]
   .filter((each) => each.checkVisibility()).map((each) => [each.textContent.trim() || each.ariaLabel,
     Math.min(each.getBoundingClientRect().width, each.getBoundingClientRect().height)])
   .filter(([, size]) => size < 23.99).map(([words, size]) => ["small target", words, size])"""


def objections(page: Page, within: str = "") -> list[list[object]]:
    """What is wrong with a page, or with what a selector finds in it: axe's violations, text below 11 px, targets below 24 px.

    The whole page must not be wider than the window either.
    """
    page.evaluate(AXE)
    root = page.locator(within or "body").first
    found = [*page.evaluate(_AXE, within), *root.evaluate(_SMALL), *root.evaluate(_NARROW)]
    if not within and (wide := page.evaluate("document.documentElement.scrollWidth - innerWidth")) > 0:
        found.append(["wider than the window", wide])
    return found
