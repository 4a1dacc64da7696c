"""The page that plays stems, and the JavaScript it shares with the notebook."""

from pathlib import Path

LOOK = (Path(__file__).parent / "look.css").read_text(encoding="utf-8")
"""The style sheet of players: colours by day and by night, transport, picture and stems."""
