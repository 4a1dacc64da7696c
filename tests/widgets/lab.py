"""A real JupyterLab in a real browser: notebooks are written, opened, run and looked at."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import nbformat
from playwright.sync_api import Browser, BrowserType, Page, sync_playwright

from tests.waiting import PATIENCE, wait_until

ROOT = Path(__file__).parent.parent.parent
PICTURES = ROOT / "out" / "screenshots"
"""Where tests leave what they saw, for people to look at."""

_CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
_ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-sync",
    # Nothing but this machine can be reached: a widget that asks a CDN for anything fails here.
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
)  # fmt: skip

FAKE_MIDI = """
(() => { const input = { name: "fake", onmidimessage: null };
  window.__cc = (number, value) => input.onmidimessage({ data: [0xb0, number, value] });
  navigator.requestMIDIAccess = async () => ({ inputs: new Map([["fake", input]]), onstatechange: null }); })();
"""


def chromium() -> str:
    """The browser's path."""
    from shutil import which

    found = next((path for name in _CHROMIUM if (path := which(name))), None)
    assert found, "no Chromium: apt-get install chromium"
    return found


LISTEN = """() => {
  window.__heard = []; // when newer sound was heard first
  window.__pieces = []; // what brought it
  for (const { deck } of __mirepoixDesks.values()) {
    deck.onfresh = (version, after) => __heard.push({ version, at: performance.now() + after * 1000 });
    deck.onpiece = ({ version, took, asked }) => __pieces.push({ version, took, asked, at: performance.now() });
  } }"""
"""Run on a page, it notes what its desks are told and play."""


def launched(kind: BrowserType, *, autoplay: bool = True) -> Browser:
    """A headless Chromium; without `autoplay` its pages may sound only once somebody has clicked on them."""
    policy = "no-user-gesture-required" if autoplay else "document-user-activation-required"
    arguments = [*_ARGUMENTS, f"--autoplay-policy={policy}"]
    return kind.launch(executable_path=chromium(), headless=True, args=arguments)


@contextmanager
def browser() -> Iterator[Browser]:
    """A headless Chromium."""
    with sync_playwright() as playwright:
        opened = launched(playwright.chromium)
        try:
            yield opened
        finally:
            opened.close()


@contextmanager
def served(home: Path, *, nodelay: bool = True) -> Iterator[Lab]:
    """A JupyterLab on a free port that keeps everything it writes in `home`."""
    root = home / "notebooks"
    root.mkdir(parents=True)
    folders = {"HOME": "home", "JUPYTER_CONFIG_DIR": "config", "JUPYTER_DATA_DIR": "data", "JUPYTER_RUNTIME_DIR": "run",
               "IPYTHONDIR": "ipython", "JUPYTERLAB_SETTINGS_DIR": "lab", "STUDIO_CACHE": "cache", "STUDIO_PRESETS": "presets"}  # fmt: skip
    environment = os.environ | {name: str(home / folder) for name, folder in folders.items()}
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    environment["JUPYTER_PLATFORM_DIRS"] = "1"
    quiet = home / "lab" / "@jupyterlab" / "apputils-extension" / "notification.jupyterlab-settings"
    quiet.parent.mkdir(parents=True)
    quiet.write_text('{"fetchNews": "false"}')
    whole = home / "lab" / "@jupyterlab" / "notebook-extension" / "tracker.jupyterlab-settings"
    whole.parent.mkdir(parents=True)
    whole.write_text('{"windowingMode": "none"}')  # cells out of sight stay on the page
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}",
        "--ServerApp.port_retries=0", "--IdentityProvider.token=", f"--ServerApp.root_dir={root}",
        "--LabApp.extension_manager=readonly", "--LabApp.news_url=None", "--LabApp.expose_app_in_browser=True",
        f"--ServerApp.jpserver_extensions={{'studio.nodelay': {nodelay}}}",
    ]  # fmt: skip
    log = home / "jupyter.log"
    with log.open("w") as out:
        server = subprocess.Popen(command, env=environment, stdout=out, stderr=subprocess.STDOUT, cwd=root)
    try:
        lab = Lab(f"http://127.0.0.1:{port}", root, log)
        lab.wait(server)
        yield lab
    finally:
        server.terminate()
        server.wait(PATIENCE)


class Lab:
    """A running JupyterLab: `url`, and `root`, the folder of its notebooks."""

    def __init__(self, url: str, root: Path, log: Path) -> None:
        self.url, self.root, self._log = url, root, log

    def wait(self, server: subprocess.Popen[bytes]) -> None:
        def answers() -> bool:
            assert server.poll() is None, self._log.read_text()[-3000:]
            try:
                urllib.request.urlopen(f"{self.url}/api/status", timeout=2).read()
            except OSError:
                return False
            return True

        wait_until(answers, "JupyterLab answers")

    def write(self, name: str, cells: Sequence[str]) -> None:
        """A notebook of these cells of code."""
        spec = {"name": "python3", "display_name": "Python 3", "language": "python"}
        book = nbformat.v4.new_notebook(metadata={"kernelspec": spec})
        book.cells = [nbformat.v4.new_code_cell(cell) for cell in cells]
        nbformat.write(book, self.root / f"{name}.ipynb")

    def open(self, page: Page, name: str, *, run: bool = True) -> None:
        """Open a notebook and, as a person would, run all of it."""
        page.goto(f"{self.url}/lab/workspaces/{name}/tree/{name}.ipynb?reset")
        page.locator(".jp-Notebook .jp-CodeCell").first.wait_for()
        # A click on Run All races with the start of the kernel, so the application is asked.
        page.evaluate(
            """async (run) => {
              const app = window.jupyterapp;
              await app.restored;
              const book = app.shell.currentWidget;
              await book.context.ready;
              await book.sessionContext.ready;
              await book.sessionContext.session.kernel.info;
              app.shell.collapseLeft();
              if (run) await app.commands.execute("notebook:run-all-cells"); }""",
            run,
        )


def command(page: Page, name: str) -> None:
    """One of JupyterLab's commands on the open notebook."""
    page.evaluate("name => window.jupyterapp.commands.execute(name)", name)


def execute(page: Page, code: str) -> str:
    """Run code in the notebook's kernel, and give what it printed."""
    return str(
        page.evaluate(
            """async (code) => {
              const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
              const future = kernel.requestExecute({ code, store_history: false });
              let printed = "";
              future.onIOPub = (message) => {
                if (message.header.msg_type === "stream") printed += message.content.text;
                if (message.header.msg_type === "error") printed += message.content.traceback.join("\\n");
              };
              await future.done;
              return printed; }""",
            code,
        )
    ).strip()
