"""Names: a consumer and its reference, and the parking stream that holds what was set aside of it.

The server itself remembers what was parked: a parking stream's one subject, `switchgear.parked.ORDERS.worker`, says of
which consumer. Stream and consumer names can hold no dot, so that it can be read in one way only.
"""

from typing import NamedTuple

LONGEST = 255
"""Bytes that the name of a stream may have."""
_FORBIDDEN = frozenset(" \t\r\n\f.*>/\\\0")


class Place(NamedTuple):
    """One consumer. Both names are the server's own and untrusted."""

    stream: str
    consumer: str

    @property
    def name(self) -> str:
        """The name in a reference: neither part can hold a slash."""
        return f"{self.stream}/{self.consumer}"

    @classmethod
    def parse(cls, name: str) -> "Place | None":
        """The consumer that a reference's name means; None when no consumer can be called so."""
        stream, slash, consumer = name.partition("/")
        return cls(stream, consumer) if slash and is_name(stream) and is_name(consumer) else None


def is_name(text: str) -> bool:
    """Whether a stream or consumer can be called so; it then is one token of a subject."""
    return bool(text) and not _FORBIDDEN & set(text) and _encodes(text)


def _encodes(text: str) -> bool:
    try:
        return len(text.encode()) <= LONGEST
    except UnicodeEncodeError:
        return False


class OwnNames:
    """The names of what this console makes on the server."""

    def __init__(self, prefix: str) -> None:
        self._subject = f"{prefix}.parked."
        self._stream = f"{prefix.upper()}_PARKED_"

    def parking(self, place: Place) -> str:
        """The stream that holds what was parked of a consumer."""
        return f"{self._stream}{place.stream}_{place.consumer}"

    def subject(self, place: Place) -> str:
        """The one subject of that stream."""
        return f"{self._subject}{place.stream}.{place.consumer}"

    def fits(self, place: Place) -> bool:
        """Whether a parking stream can be called so, with our prefix before the names. With a control character in its
        name a stream's acknowledgements are no JSON (measured, 2.15.1), so that nothing can be parked for certain."""
        name = self.parking(place)
        return name.isprintable() and len(name.encode()) <= LONGEST

    def parked_of(self, subjects: list[str]) -> Place | None:
        """Whose parking stream one with these subjects is; None for every other stream."""
        if len(subjects) != 1 or not subjects[0].startswith(self._subject):
            return None
        stream, dot, consumer = subjects[0][len(self._subject) :].partition(".")
        return Place(stream, consumer) if dot and is_name(stream) and is_name(consumer) else None
