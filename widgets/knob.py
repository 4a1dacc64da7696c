"""A knob in a notebook, made from a declaration."""

from __future__ import annotations

from typing import Any

import anywidget
import traitlets

from studio.errors import KnobError, StudioError, nearest
from studio.knobs import Number
from studio.rendering.player.modules import script
from studio.steps import Step, find_step
from widgets.describe import can_turn, readable, spec
from widgets.pictures import dial_picture
from widgets.player import HERE, STYLE


class Knob(anywidget.AnyWidget):
    """A knob that behaves as knobs in plugins do.

    Drag up and down (shift for fine), double-click or Delete for the default, wheel once it has the focus, arrow and
    page keys, Enter to type a value with its unit, right-click for MIDI learn.

    >>> cutoff = Knob.of("lowpass", "cutoff")
    >>> cutoff.value = 1200.0
    >>> cutoff.observe(lambda change: print(change["new"]), "committed")

    Attributes:
        value: where it stands, in the unit of its declaration; follows the hand.
        committed: the value at the end of the last gesture.
        cc: the MIDI controller that turns it, as (number, channel from 0), or None.

    Raises:
        KnobError: the declaration has no two ends, or a value does not fit it.
    """

    _esm = script(HERE / "knob.js")
    _css = STYLE

    value = traitlets.Float().tag(sync=True)
    committed = traitlets.Float().tag(sync=True)
    spec = traitlets.Dict().tag(sync=True)
    drag = traitlets.Enum(("vertical", "circular"), "vertical").tag(sync=True)
    cc = traitlets.List(traitlets.Int(), allow_none=True, default_value=None).tag(sync=True)

    def __init__(self, number: Number, label: str = "", *, value: object = None, drag: str = "vertical") -> None:
        if not can_turn(number):
            raise KnobError("a knob without two ends cannot be turned.", "Give its declaration a low and a high.")
        self.number = number
        described = spec(number, label)
        stands = number.number(value) if value is not None else described["default"]
        at = float(number.low if stands is None else stands)
        super().__init__(spec=described, value=at, committed=at, drag=drag)
        self.on_msg(self._told)

    @classmethod
    def of(cls, step: str | type[Step], knob: str, *, value: object = None, drag: str = "vertical") -> Knob:
        """The knob of a step, such as ``Knob.of("lowpass", "cutoff")``.

        Raises:
            StudioError: there is no such step, or it has no such number.
        """
        kinds = (find_step(step) if isinstance(step, str) else step).parameters()
        number = kinds.get(knob)
        if not isinstance(number, Number):
            numbers = [name for name, kind in kinds.items() if isinstance(kind, Number)]
            raise KnobError(f"there is no number {knob!r} to turn.", nearest(knob, numbers))
        return cls(number, readable(knob), value=value, drag=drag)

    @traitlets.validate("value", "committed")
    def _fits(self, proposal: Any) -> float:
        return float(self.number.number(proposal["value"]))

    @traitlets.observe("value")
    def _moved(self, change: Any) -> None:
        # What Python sets is a gesture of its own; the browser says itself when its gesture is over.
        if not self._property_lock:
            self.committed = self.value

    def _repr_mimebundle_(self, **options: Any) -> Any:
        """What the notebook keeps: the widget, and for whoever opens it without a kernel a picture."""
        bundle = super()._repr_mimebundle_(**options)
        data = bundle[0] if isinstance(bundle, tuple) else bundle
        if data is not None:
            said = str(self.number.data(self.value))
            data["text/html"] = dial_picture(self.spec["label"], self.number.position(self.value), said)
        return bundle

    def _told(self, widget: object, content: dict[str, Any], buffers: object) -> None:
        if content.get("kind") != "type":
            return
        refused = ""
        try:
            self.value = self.committed = float(self.number.number(str(content.get("text"))))
        except StudioError as error:
            refused = " ".join(part for part in (error.cause, error.mend) if part)
        self.send({"kind": "read", "token": content.get("token"), "refused": refused})
