"""Turning dials over OSC: a server that answers, and that nothing from outside can stop."""

from __future__ import annotations

import ipaddress
import socket
import threading
from collections.abc import Callable
from typing import Any, Self

from studio.errors import KnobError, MissingError, OutputError, StudioError
from studio.live.live_parameters import Dials, dial
from studio.live.muting import Muting
from studio.live.priority import ahead
from studio.live.transport import LiveTransport

LARGEST_PACKET = 8192
_SIZES = {**dict.fromkeys("ifcrm", 4), **dict.fromkeys("hdt", 8), **dict.fromkeys("TFNI", 0)}
Target = tuple[str, int]


class OscControl:
    """Listens for OSC on UDP and turns dials.

    ``/knob/ADDRESS value`` turns a knob, in its unit; ``/slider/ADDRESS 0…1`` moves it as a slider; ``/get/ADDRESS``
    asks where it stands; ``/list`` names them all; ``/learn/ADDRESS`` binds it to the next MIDI controller that moves.
    ``/mute/STRIP 1`` and ``/solo/TRACK 1`` mute and solo, 0 ends that, and without a value they ask; ``/play``, ``/stop``
    and ``/locate SECONDS`` move the song, and ``/transport`` asks. The answer goes to where the question came from:
    ``/knob/ADDRESS value position``, ``/mute/STRIP 0|1``, ``/solo/TRACK 0|1``, ``/transport rolls seconds`` or ``/error text``.

    Args:
        dials: gives the dials as they are now.
        port: the UDP port; 0 for a free one.
        host: the address to listen on; packets from elsewhere than this machine are ignored unless it is another
            one than a loopback address.
        learn: is told of an address to learn.
        muting: mutes and solos strips.
        transport: starts, stops and moves the song.

    Raises:
        OutputError: the port is taken.
        MissingError: python-osc is not installed.
    """

    def __init__(
        self,
        dials: Callable[[], Dials],
        port: int = 0,
        host: str = "127.0.0.1",
        learn: Callable[[str], object] | None = None,
        muting: Muting | None = None,
        transport: LiveTransport | None = None,
    ) -> None:
        _require_osc()
        self._muting, self._transport = muting, transport
        self._dials, self._learn = dials, learn
        self._local = ipaddress.ip_address(host).is_loopback
        self.ignored = self.malformed = self.served = 0
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self._socket.bind((host, port))
        except OSError as error:
            self._socket.close()
            raise OutputError(f"port {port} cannot be listened on: {error.strerror}.", "Choose another.") from None
        self._socket.settimeout(0.2)
        self.port: int = self._socket.getsockname()[1]
        self._running = True
        self._thread = threading.Thread(target=self._serve, daemon=True, name="osc")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._running = False
        self._thread.join(2)
        self._socket.close()

    def _serve(self) -> None:
        ahead()
        while self._running:
            try:
                packet, sender = self._socket.recvfrom(LARGEST_PACKET)
            except TimeoutError:
                continue
            except OSError:
                # An answer that found nobody comes back as an error of the next reading on some systems.
                continue
            self.take(packet, sender)

    def take(self, packet: bytes, sender: Target) -> None:
        """Act on one packet; a malformed one is counted and forgotten."""
        from pythonosc.osc_packet import OscPacket

        if self._local and not ipaddress.ip_address(sender[0]).is_loopback:
            self.ignored += 1
            return
        if not whole(packet):
            self.malformed += 1
            return
        try:
            messages = [timed.message for timed in OscPacket(packet).messages]
        except Exception:
            # python-osc lets through whatever a byte makes it trip over.
            self.malformed += 1
            return
        for message in messages:
            try:
                self._act(message.address, message.params, sender)
                self.served += 1
            except StudioError as error:
                self._answer(sender, "/error", error.cause)
            except (TypeError, ValueError, IndexError, OverflowError) as error:
                self._answer(sender, "/error", f"{message.address}: {error}")

    def _act(self, address: str, values: list[Any], sender: Target) -> None:
        verb, _, name = address.removeprefix("/").partition("/")
        dials = self._dials()
        if verb == "list":
            for each in sorted(dials):
                self._tell(sender, each, dials)
            return
        if verb in ("mute", "solo") and self._muting is not None:
            put = self._muting.mute if verb == "mute" else self._muting.solo
            self._answer(sender, f"/{verb}/{name}", int(put(name, _switch(values[0]) if values else None)))
            return
        if verb in ("play", "stop", "locate", "transport") and not name and self._transport is not None:
            self._move(self._transport, verb, values)
            self._answer(sender, "/transport", int(self._transport.rolls), self._transport.seconds)
            return
        if verb == "knob":
            dial(dials, name).turn(values[0])
        elif verb == "slider":
            dial(dials, name).slide(float(values[0]))
        elif verb == "learn" and self._learn is not None:
            dial(dials, name)
            self._learn(name)
        elif verb != "get":
            self._answer(sender, "/error", f"there is no {address}")
            return
        self._tell(sender, name, dials)

    def _move(self, transport: LiveTransport, verb: str, values: list[Any]) -> None:
        if verb == "locate":
            transport.locate(float(values[0]))
        elif verb != "transport" and (not values or _switch(values[0])):
            # Buttons of control surfaces send 0 when they are let go.
            transport.roll(verb == "play")

    def _tell(self, sender: Target, name: str, dials: Dials) -> None:
        found = dial(dials, name)
        self._answer(sender, f"/knob/{name}", found.target, found.position)

    def _answer(self, sender: Target, address: str, *values: float | str) -> None:
        try:
            self._socket.sendto(message(address, *values), sender)
        except OSError:
            self.ignored += 1


def _switch(value: object) -> bool:
    if not isinstance(value, (int, float)) or value not in (0, 1):
        raise KnobError(f"{value!r} is neither 1 nor 0.")
    return bool(value)


def whole(packet: bytes) -> bool:
    """Whether a packet holds all that it announces (OSC 1.0); python-osc takes what is missing for zeros."""
    if len(packet) % 4 or not packet:
        return False
    if packet[:8] == b"#bundle\0":
        offset = 16
        while offset < len(packet):
            size = int.from_bytes(packet[offset : offset + 4], "big")
            if size == 0 or not whole(packet[offset + 4 : offset + 4 + size]) or offset + 4 + size > len(packet):
                return False
            offset += 4 + size
        return offset == len(packet)
    offset = _after_text(packet, 0)
    if packet[:1] != b"/" or packet[offset : offset + 1] != b",":
        return False
    tags = packet[offset : packet.find(b"\0", offset)][1:]
    offset = _after_text(packet, offset)
    for tag in tags.decode("latin-1"):
        if tag in "sS":
            offset = _after_text(packet, offset)
        elif tag == "b":
            offset += 4 + -(-int.from_bytes(packet[offset : offset + 4], "big") // 4) * 4
        elif tag in _SIZES:
            offset += _SIZES[tag]
        else:
            return False
    return offset == len(packet)


def _after_text(packet: bytes, offset: int) -> int:
    """Where what follows a text begins: texts end with a zero and are filled up to four bytes."""
    end = packet.find(b"\0", offset)
    return len(packet) + 1 if end < 0 else (end // 4 + 1) * 4


def message(address: str, *values: float | int | str) -> bytes:
    """The bytes of one OSC message."""
    _require_osc()
    from pythonosc.osc_message_builder import OscMessageBuilder

    builder = OscMessageBuilder(address)
    for value in values:
        builder.add_arg(value)
    return bytes(builder.build().dgram)


def _require_osc() -> None:
    try:
        import pythonosc  # noqa: F401
    except ImportError:
        raise MissingError("OSC needs the package python-osc.", "pip install 'mirepoix[live]'") from None
