"""Messages on disk, one JSON object a line, so that what was taken away for good can be read back.

`body` is base64; what JSON has no word for in headers and properties is written as `{"$bytes": …}`, `{"$time": …}`
(ISO 8601) or `{"$decimal": …}`.
"""

import base64
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import msgspec

if TYPE_CHECKING:
    from aiormq.abc import DeliveredMessage

_PROPERTIES = (
    "content_type", "content_encoding", "headers", "delivery_mode", "priority", "correlation_id", "reply_to",
    "expiration", "message_id", "timestamp", "message_type", "user_id", "app_id",
)  # fmt: skip


class Exported(msgspec.Struct, frozen=True, kw_only=True):
    """One message as it was taken."""

    exchange: str
    """Where it was published; empty is the default exchange."""
    routing_key: str
    body: bytes
    redelivered: bool = False
    properties: dict[str, Any] = {}
    """Those of AMQP that it had, by name."""


def exported(message: "DeliveredMessage") -> Exported:
    """A delivered message as it goes to a file."""
    about = message.header.properties
    given = {name: getattr(about, name, None) for name in _PROPERTIES}
    return Exported(
        exchange=message.exchange or "",
        routing_key=message.routing_key or "",
        body=bytes(message.body),
        redelivered=bool(message.redelivered),
        properties={name: _plain(value) for name, value in given.items() if value not in (None, "")},
    )


@dataclass(slots=True)
class ExportFile:
    """A file that messages are added to. It is private, and what `write` returned from is on disk."""

    path: Path
    _file: BinaryIO | None = None

    def open(self) -> int:
        """Make it or go on with it, after its last whole line; returns how many messages it holds.

        Raises:
            OSError: it cannot be written.
        """
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        self._file = os.fdopen(descriptor, "r+b")
        lines, whole = 0, 0
        for line in self._file:
            if line.endswith(b"\n"):
                lines, whole = lines + 1, whole + len(line)
        self._file.seek(whole)
        self._file.truncate()
        _sync_folder(self.path.parent)
        return lines

    def write(self, messages: Iterable[Exported]) -> None:
        """Add messages; they are on disk when it returns.

        Raises:
            OSError: they are not.
        """
        assert self._file is not None  # noqa: S101  for the type checker
        self._file.write(b"".join(msgspec.json.encode(message) + b"\n" for message in messages))
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close it."""
        if self._file is not None:
            self._file.close()
            self._file = None


def read_export(path: Path) -> Iterator[Exported]:
    """The messages of a file, in the order in which they were taken; headers and properties as they were.

    Raises:
        OSError: it cannot be read.
        msgspec.DecodeError: a line in it is none of ours.
    """
    with path.open("rb") as file:
        for line in file:
            found = msgspec.json.decode(line, type=Exported)
            yield msgspec.structs.replace(found, properties=_as_it_was(found.properties))


def count_lines(path: Path) -> int:
    """How many messages a file holds; none when it is not there.

    Raises:
        OSError: it cannot be read.
    """
    if not path.exists():
        return 0
    with path.open("rb") as file:
        return sum(line.endswith(b"\n") for line in file)


def _plain(value: Any) -> Any:
    match value:
        case dict():
            return {str(key): _plain(one) for key, one in value.items()}
        case list():
            return [_plain(one) for one in value]
        case bytes() | bytearray():
            return {"$bytes": base64.b64encode(value).decode()}
        case datetime():
            return {"$time": value.isoformat()}
        case Decimal():
            return {"$decimal": str(value)}
        case _:
            return value


def _as_it_was(value: Any) -> Any:
    match value:
        case {"$bytes": str(text)}:
            return base64.b64decode(text)
        case {"$time": str(text)}:
            return datetime.fromisoformat(text)
        case {"$decimal": str(text)}:
            return Decimal(text)
        case dict():
            return {key: _as_it_was(one) for key, one in value.items()}
        case list():
            return [_as_it_was(one) for one in value]
        case _:
            return value


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
