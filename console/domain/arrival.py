"""Reading the event stream, with what many readings say alike kept once.

Ten thousand queues have the same eight abilities and the same reasons; as they come, each brings its own copy of them,
7 MB in all. Readings are therefore taken one by one, so that only one copy too many is there at a time.
"""

import sys

import msgspec
from msgspec.structs import force_setattr

from console.domain.readings import Ability, AnyReading
from console.domain.wire import Change, Event, Heartbeat, Snapshot

MOST_ALIKE = 1024
"""Different sets of abilities that are remembered; beyond that they are remembered anew."""


class _RawSnapshot(Snapshot, frozen=True, kw_only=True, tag="snapshot"):
    """A snapshot whose readings have not been read yet."""

    readings: tuple[msgspec.Raw, ...]  # type: ignore[assignment]


class _RawChange(Change, frozen=True, kw_only=True, tag="change"):
    """The same of a change: the first look at a large source is one, when a console was there before."""

    readings: tuple[msgspec.Raw, ...] = ()  # type: ignore[assignment]


_Arriving = _RawSnapshot | _RawChange | Heartbeat
_decoder: msgspec.json.Decoder[_Arriving] = msgspec.json.Decoder(_Arriving)
_reading: msgspec.json.Decoder[AnyReading] = msgspec.json.Decoder(AnyReading)


class EventReader:
    """Reads the lines of one stream."""

    def __init__(self) -> None:
        self._abilities: dict[tuple[Ability, ...], tuple[Ability, ...]] = {}

    def read(self, line: bytes | bytearray) -> Event:
        """One line of the stream.

        Raises:
            msgspec.ValidationError: it is not of the shape of an event; its text names the field.
            msgspec.DecodeError: it is not JSON.
        """
        event = _decoder.decode(line)
        if isinstance(event, Heartbeat):
            return event
        whole = Snapshot if isinstance(event, _RawSnapshot) else Change
        parts = {name: getattr(event, name) for name in whole.__struct_fields__}
        parts["readings"] = tuple(self._once(_reading.decode(piece)) for piece in event.readings)
        return whole(**parts)

    def _once(self, reading: AnyReading) -> AnyReading:
        """The reading, with what is known already in the place of its copies; nobody else has seen it yet."""
        if len(self._abilities) > MOST_ALIKE:
            self._abilities.clear()
        force_setattr(reading, "can", self._abilities.setdefault(reading.can, reading.can))
        force_setattr(reading.ref, "source", sys.intern(reading.ref.source))
        return reading
