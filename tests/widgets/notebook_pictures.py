"""`make notebooks`: run every notebook in a real JupyterLab and keep what it shows, widgets as pictures.

A widget lives only as long as its kernel; on GitHub, and before a notebook is run, its picture stands in its place.
"""

from __future__ import annotations

import base64
import io
import sys
import tempfile
from pathlib import Path

import nbformat
from PIL import Image
from playwright.sync_api import Browser

from tests.widgets.lab import ROOT, Lab, browser, command, served

VIEW = "application/vnd.jupyter.widget-view+json"
FOLDER = ROOT / "notebooks"
COLOURS = 160


def main(names: list[str]) -> None:
    """Run the notebooks with these names, or all."""
    with tempfile.TemporaryDirectory() as home, served(Path(home) / "lab") as lab, browser() as chrome:
        for path in sorted(FOLDER.glob("*.ipynb")):
            if not names or path.stem in names:
                take(path, lab, chrome)


def take(path: Path, lab: Lab, chrome: Browser) -> None:
    """Run one notebook, and write it back with its outputs."""
    (lab.root / path.name).write_bytes(path.read_bytes())
    context = chrome.new_context(viewport={"width": 1180, "height": 1600})
    page = context.new_page()
    lab.open(page, path.stem)
    page.wait_for_timeout(4000)
    pictures: dict[int, str] = {}
    cells = page.locator(".jp-CodeCell")
    for index in range(cells.count()):
        widget = cells.nth(index).locator(".mx").first
        if widget.count():
            widget.scroll_into_view_if_needed()
            page.wait_for_timeout(500)
            pictures[index] = _small(widget.screenshot())
    command(page, "docmanager:save")
    page.wait_for_timeout(1500)
    context.close()
    book = nbformat.read(lab.root / path.name, as_version=4)
    book.metadata = nbformat.from_dict({key: book.metadata[key] for key in ("kernelspec", "language_info")})
    book.metadata["language_info"] = {"name": "python"}
    for index, cell in enumerate(cell for cell in book.cells if cell.cell_type == "code"):
        cell.metadata = nbformat.from_dict({})
        for output in cell.outputs:
            assert output.output_type != "error", f"{path.name}: {output.get('evalue')}"
            if VIEW in output.get("data", {}):
                output["data"] = {"image/png": pictures[index], "text/plain": "A widget: run the notebook to turn it."}
    nbformat.write(book, path)
    print(f"{path.name}: {len(pictures)} pictures, {path.stat().st_size / 1000:.0f} kB")  # noqa: T201


def _small(png: bytes) -> str:
    out = io.BytesIO()
    Image.open(io.BytesIO(png)).convert("RGB").quantize(COLOURS).save(out, "PNG", optimize=True)
    return base64.b64encode(out.getvalue()).decode()


if __name__ == "__main__":
    main(sys.argv[1:])
