"""A host of widgets that is only a page: quick, and its kernel is as late as a test wants it.

What a widget sends is handed to its Python half after `delay` milliseconds, one message after the other, as a kernel does
that is busy for so long with each.
"""

from __future__ import annotations

import base64
import threading
from typing import Any

import anywidget
from playwright.sync_api import Page

_PAGE = """<!doctype html><html lang="en"><head><title>a widget</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>body { margin: 0; background: #fff; } @media (prefers-color-scheme: dark) { body { background: #111; color: #eee; } }</style></head>
<body><main><h1 style="font-size: 16px; margin: 0">A widget</h1><div id="widget"></div></main></body></html>"""

_HOST = """async ({ esm, css, state }) => {
  const style = document.createElement("style");
  style.textContent = css;
  document.head.append(style);
  const listeners = {}, changed = new Set();
  const fire = (name, ...words) => { for (const each of [...(listeners[name] ?? [])]) each(...words); };
  let chain = Promise.resolve();
  const host = (globalThis.__host = { delay: 0, waiting: 0 });
  const bytes = (text) => { const plain = atob(text); return new DataView(Uint8Array.from(plain, (each) => each.charCodeAt(0)).buffer); };
  const take = (answers) => {
    for (const { content, buffers, state: next } of answers) {
      if (content) { fire("msg:custom", content, buffers.map(bytes)); continue; }
      for (const [name, value] of Object.entries(next)) {
        if (JSON.stringify(state[name]) === JSON.stringify(value)) continue;
        state[name] = value;
        fire(`change:${name}`);
      }
    }
  };
  const ask = (kind, content) => {
    host.waiting += 1;
    chain = chain.then(() => new Promise((done) => setTimeout(done, host.delay))).then(() => __kernel(kind, content)).then(take)
      .finally(() => { host.waiting -= 1; });
  };
  setInterval(() => { if (!host.waiting) __kernel("poll", {}).then(take); }, 40);
  const model = {
    get: (name) => state[name],
    set: (name, value) => { state[name] = value; changed.add(name); fire(`change:${name}`); },
    save_changes: () => { const now = Object.fromEntries([...changed].map((name) => [name, state[name]])); changed.clear(); ask("state", now); },
    on: (name, heard) => (listeners[name] ??= new Set()).add(heard),
    off: (name, heard) => listeners[name]?.delete(heard),
    send: (content) => ask("message", content),
  };
  const { default: widget } = await import(URL.createObjectURL(new Blob([esm], { type: "text/javascript" })));
  await widget.initialize?.({ model });
  await widget.render({ model, el: document.getElementById("widget") });
}"""


class Host:
    """Shows `widget` on `page`."""

    def __init__(self, page: Page, widget: anywidget.AnyWidget) -> None:
        self.page, self.widget = page, widget
        self._answers: list[dict[str, Any]] = []
        self._lock = threading.Lock()
        names = [
            name for name in widget.keys if not name.startswith("_") and name not in ("layout", "tabbable", "tooltip")
        ]
        widget.observe(lambda change: self._tell({"state": {change["name"]: change["new"]}}), names)
        widget.send = self._send  # type: ignore[method-assign]
        page.expose_function("__kernel", self._kernel)
        page.goto("about:blank")
        page.set_content(_PAGE)
        state = {name: getattr(widget, name) for name in names}
        page.evaluate(_HOST, {"esm": widget._esm, "css": widget._css, "state": state})

    def delay(self, milliseconds: float) -> None:
        """From now on the kernel is busy for so long with every message."""
        self.page.evaluate("delay => { __host.delay = delay }", milliseconds)

    def settle(self) -> None:
        """Wait until the kernel has answered everything."""
        self.page.wait_for_function("() => !__host.waiting")

    def _kernel(self, kind: str, content: dict[str, Any]) -> list[dict[str, Any]]:
        if kind == "message":
            self.widget._handle_custom_msg(content, [])
        elif kind == "state":
            self.widget.set_state(content)
        with self._lock:
            answers, self._answers = self._answers, []
        return answers

    def _send(self, content: dict[str, Any], buffers: list[bytes] | None = None) -> None:
        self._tell({"content": content, "buffers": [base64.b64encode(each).decode() for each in buffers or ()]})

    def _tell(self, answer: dict[str, Any]) -> None:
        with self._lock:
            self._answers.append(answer)
