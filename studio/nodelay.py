"""A Jupyter Server extension: small messages to and from kernels leave at once.

A knob sends one small message after another. With Nagle's algorithm on, which is the default, each waits for the
acknowledgement of the one before, some 40 ms. The extension turns TCP_NODELAY on for the websockets of kernels, on a server
for which it was asked: ``jupyter server extension enable studio.nodelay``.
"""

from __future__ import annotations

from typing import Any


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    """Where Jupyter finds it."""
    return [{"module": "studio.nodelay"}]


def _load_jupyter_server_extension(server: Any) -> None:
    """Change how websockets to kernels are opened."""
    from jupyter_server.services.kernels.websocket import KernelWebsocketHandler

    handler: Any = KernelWebsocketHandler
    opened = handler.open

    async def open_at_once(self: Any, *words: Any, **options: Any) -> Any:
        self.set_nodelay(True)
        return await opened(self, *words, **options)

    handler.open = open_at_once
    server.log.info("studio.nodelay: messages to kernels leave at once")
