"""One JupyterLab and one browser for all tests of this folder; each test has a page of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.waiting import PATIENCE
from tests.widgets.lab import FAKE_MIDI, PICTURES, Lab, served

# On a busy machine a kernel takes its time.
expect.set_options(timeout=PATIENCE * 1000)

HERE = ("http://127.0.0.1", "data:", "blob:", "file:")
KNOWN = (
    "ResizeObserver loop",
    "favicon",
    "the server responded with a status of 404",
    "debugger state",
    "Canceled future",
)
"""What JupyterLab itself says, whatever widgets do."""


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with served(tmp_path_factory.mktemp("lab")) as running:
        yield running


@pytest.fixture(scope="module")
def tab(chrome: Browser) -> Iterator[tuple[Page, list[str]]]:
    """A page for the tests of a module, and what went wrong on it."""
    context = chrome.new_context(viewport={"width": 1280, "height": 900})
    context.add_init_script(FAKE_MIDI)
    page, wrong = context.new_page(), list[str]()
    page.set_default_timeout(PATIENCE * 1000)
    page.on("pageerror", lambda error: wrong.append(f"{error}"))
    page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
    page.on("request", lambda asked: None if asked.url.startswith(HERE) else wrong.append(asked.url))
    yield page, wrong
    context.close()


@pytest.fixture
def page(tab: tuple[Page, list[str]], request: pytest.FixtureRequest) -> Iterator[Page]:
    """The page; its test fails when the console shows an error, or another machine is asked for anything."""
    page, wrong = tab
    wrong.clear()
    yield page
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=PICTURES / f"{request.node.name}.png")
    left = [text for text in wrong if not any(known in text for known in KNOWN)]
    assert not left, left
