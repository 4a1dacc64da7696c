"""A player in a notebook: waveform, spectrum, loudness, loop, and stems with mute and solo."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from studio.errors import StudioError
from studio.recipe import Recipe
from studio.rendering.player import LOOK
from studio.rendering.player.modules import script
from studio.rendering.still import still
from widgets.session import PlaybackSession
from widgets.sounds import Sounds, heard, sounds_of

HERE = Path(__file__).parent
STYLE = LOOK + (HERE / "widgets.css").read_text(encoding="utf-8")

STILL_SECONDS = 3.0
"""So long a widget that is shown waits for its first sound, so that a saved notebook has it."""


class Playing(anywidget.AnyWidget):
    """What all widgets that sound have in common: a desk in the browser, and how Python works it."""

    key = traitlets.Unicode().tag(sync=True)
    rate = traitlets.Int(44_100).tag(sync=True)
    title = traitlets.Unicode().tag(sync=True)

    def __init__(self, **traits: Any) -> None:
        super().__init__(key=uuid.uuid4().hex, **traits)
        self.on_msg(self._told)

    def play(self) -> None:
        """Start where it stands. Browsers allow that once somebody has clicked on the page."""
        self.send({"kind": "transport", "do": "play"})

    def pause(self) -> None:
        """Stop, and stay there."""
        self.send({"kind": "transport", "do": "pause"})

    def seek(self, seconds: float) -> None:
        """Go to a time."""
        self.send({"kind": "transport", "do": "seek", "frame": max(0, round(seconds * self.rate))})

    def loop(self, begin: float | None = None, end: float | None = None) -> None:
        """Loop from one second to another; without them, not at all."""
        region = None if begin is None or end is None else [round(begin * self.rate), round(end * self.rate)]
        self.send({"kind": "transport", "do": "loop", "loop": region})

    def _repr_mimebundle_(self, **options: Any) -> Any:
        """What the notebook keeps: the widget, and for whoever opens it without a kernel a picture and a small player."""
        bundle = super()._repr_mimebundle_(**options)
        data = bundle[0] if isinstance(bundle, tuple) else bundle
        if data is not None and (shown := self._still()):
            data["text/html"] = shown
        return bundle

    def _still(self) -> str:
        """The sound as HTML that needs no kernel; a render that is about to end is waited for."""
        session = vars(self).get("_session")
        if session is None or (session.sounds is None and not session.wait(STILL_SECONDS)) or session.sounds is None:
            return ""
        return still(heard(session.sounds), self.title)

    def close(self) -> None:
        """Take it off the page and lay down its work."""
        session = vars(self).get("_session")
        if session is not None:
            session.close()
        super().close()

    def _tell(self, content: dict[str, Any], buffers: list[bytes]) -> None:
        if self.comm is not None:
            self.send(content, buffers)

    def _say(self, text: str, bad: bool = False) -> None:
        self._tell({"kind": "state", "text": text, "bad": bad}, [])

    def _told(self, widget: object, content: dict[str, Any], buffers: object) -> None:
        raise NotImplementedError


class Player(Playing):
    """Plays a result with its stems, a recipe, audio, a file, or several sounds by name.

    >>> Player(studio.render("song.yaml"))
    >>> Player({"before": "loop.wav", "after": studio.Audio(samples, 44_100)})

    The first sound is what is heard. Once a stem is muted or solo, the stems play in its place.

    Raises:
        StudioError: it is nothing that can be played.
    """

    _esm = script(HERE / "player.js")
    _css = STYLE

    def __init__(self, source: object, *, title: str = "") -> None:
        sounds: Sounds | None = None if isinstance(source, Recipe) else sounds_of(source)
        rate = source.rate if isinstance(source, Recipe) else sounds.rate if sounds else 0
        super().__init__(rate=rate, title=title or getattr(source, "title", ""))
        self._session = PlaybackSession(self._tell, failed=self._failed, stems=True)
        if isinstance(source, Recipe):
            self._session.wish(source)
        elif sounds is not None:
            self._session.play(sounds)

    def _failed(self, error: StudioError | None) -> None:
        self._say("" if error is None else f"{error.cause} {error.mend}".strip(), bad=error is not None)

    def _told(self, widget: object, content: dict[str, Any], buffers: object) -> None:
        if content.get("kind") == "hello":
            self._session.greet()
        elif content.get("kind") == "want":
            self._session.want(content)
