"""A message's headers: kept whole while it is parked, and given back without what would make the server drop it."""

import re
from collections.abc import Iterable
from typing import Any

from adapters.nats.api import Message
from console.domain.errors import BackendError, ErrorKind

_LINE = b"NATS/1.0"
_KEY = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_OURS = "Switchgear-"
SUBJECT, SEQUENCE, CREATED, TIME = (f"{_OURS}{name}" for name in ("Subject", "Sequence", "Stream-Created", "Time"))
_OWN = frozenset({SUBJECT, SEQUENCE, CREATED, TIME})
_KEPT = f"{_OURS}Kept-"
"""Before the name of a header that means something to the server, as long as the message is parked."""
MSG_ID = "Nats-Msg-Id"
EXPECTED_STREAM = "Nats-Expected-Stream"
PRODUCERS_ID = f"{_OURS}Msg-Id"
"""What the producer's `Nats-Msg-Id` is called when the message has come back."""
_RESTORED = frozenset({"nats-ttl"})
"""What the server is told again when a message comes back; everything else of `Nats-…` was for one publishing only."""

Lines = list[tuple[str, str]]


class Headers(dict[str, str]):
    """Headers for the client, which takes a dict; a name that is there twice is sent twice."""

    def __init__(self, lines: Lines) -> None:
        super().__init__(lines)
        self._lines = lines

    def items(self) -> Any:
        """Every line, in order."""
        return list(self._lines)


def parse(message: Message) -> Lines:
    """The header lines of a stored message.

    Raises:
        BackendError: FAILED when they could not be sent again as they are; the message then stays where it is.
    """
    head = message.head
    if not head:
        return []
    first, *lines = head.removesuffix(b"\r\n\r\n").split(b"\r\n")
    try:
        if first.strip() != _LINE:
            raise ValueError("no header block")
        return [_line(line) for line in lines if line]
    except (ValueError, UnicodeDecodeError):
        words = f"message {message.seq} has headers that could not be given back as they are"
        raise BackendError(ErrorKind.FAILED, words, way_out="it stays where it is; pause works") from None


def _line(line: bytes) -> tuple[str, str]:
    key, colon, value = line.decode().partition(":")
    if not colon or not _KEY.fullmatch(key):
        raise ValueError("no header line")
    return key, value.strip()


def to_park(message: Message, created: str, msg_id: str) -> Lines:
    """The headers of a parked copy; `created` is when the message's stream was made."""
    lines = parse(message)
    came = value_of(lines, TIME) or message.time  # it may have been parked and given back before
    ours = [
        (MSG_ID, msg_id),
        (SUBJECT, message.subject),
        (SEQUENCE, str(message.seq)),
        (CREATED, created),
        (TIME, came),
    ]
    kept = [(f"{_KEPT}{key}" if _special(key) else key, value) for key, value in lines if key not in _OWN]
    return [*ours, *kept]


def to_give_back(parked: Message, stream: str, msg_id: str) -> tuple[str, Lines]:
    """(the original subject, the headers with which it comes back).

    Raises:
        BackendError: MALFORMED when it is no parked message of ours.
    """
    lines = parse(parked)
    subject = value_of(lines, SUBJECT)
    if not subject:
        raise BackendError(ErrorKind.MALFORMED, f"message {parked.seq} of the parking stream was not parked by us")
    back: Lines = [(MSG_ID, msg_id), (EXPECTED_STREAM, stream)]
    for key, value in lines:
        name = key.removeprefix(_KEPT)
        if name == key:
            back += [] if key in (MSG_ID, SUBJECT, SEQUENCE, CREATED) else [(key, value)]
        elif name.lower() in _RESTORED:
            back.append((name, value))
        elif name.lower() == MSG_ID.lower():
            back.append((PRODUCERS_ID, value))
    return subject, back


def value_of(lines: Iterable[tuple[str, str]], key: str) -> str:
    """The first value of a header; empty when it is not there."""
    return next((value for name, value in lines if name == key), "")


def size_of(lines: Lines) -> int:
    """Bytes of the header block."""
    return len(_LINE) + 4 + sum(len(key.encode()) + len(value.encode()) + 4 for key, value in lines)


def _special(key: str) -> bool:
    return key.lower().startswith("nats-")
