"""Reading the event stream, with what many readings say alike kept once.

Ten thousand queues have the same eight abilities and the same reasons; as they come, each brings its own copy of them,
7 MB in all. A snapshot's readings are therefore taken one by one, so that only one copy too many is there at a time.
"""

import sys

import msgspec
from msgspec.structs import force_setattr

from console.domain.readings import Ability, AnyReading
from console.domain.wire import Change, Event, Heartbeat, Snapshot

MOST_ALIKE = 1024
"""Different sets of abilities that are remembered; beyond that they are remembered anew."""


class _InPieces(Snapshot, frozen=True, kw_only=True, tag="snapshot"):
    """A snapshot whose readings have not been read yet."""

    readings: tuple[msgspec.Raw, ...]  # type: ignore[assignment]


_decoder: msgspec.json.Decoder[_InPieces | Change | Heartbeat] = msgspec.json.Decoder(_InPieces | Change | Heartbeat)
_reading: msgspec.json.Decoder[AnyReading] = msgspec.json.Decoder(AnyReading)
_REST = tuple(name for name in Snapshot.__struct_fields__ if name != "readings")


class EventReader:
    """Reads the lines of one stream."""

    def __init__(self) -> None:
        self._abilities: dict[tuple[Ability, ...], tuple[Ability, ...]] = {}

    def read(self, line: bytes) -> Event:
        """One line of the stream.

        Raises:
            msgspec.ValidationError: it is not of the shape of an event; its text names the field.
            msgspec.DecodeError: it is not JSON.
        """
        event = _decoder.decode(line)
        if isinstance(event, _InPieces):
            readings = tuple(self._once(_reading.decode(piece)) for piece in event.readings)
            return Snapshot(readings=readings, **{name: getattr(event, name) for name in _REST})
        if isinstance(event, Change):
            for reading in event.readings:
                self._once(reading)
        return event

    def _once(self, reading: AnyReading) -> AnyReading:
        """The reading, with what is known already in the place of its copies; nobody else has seen it yet."""
        if len(self._abilities) > MOST_ALIKE:
            self._abilities.clear()
        force_setattr(reading, "can", self._abilities.setdefault(reading.can, reading.can))
        force_setattr(reading.ref, "source", sys.intern(reading.ref.source))
        return reading
