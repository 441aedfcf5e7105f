"""One HTTP question and its answer on a connection of its own: h11 over a Unix stream, and nothing else."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import h11

from console import __version__
from console.domain.wire import PROTOCOL, PROTOCOL_HEADER, VERSION_HEADER

READ_BYTES = 64 * 1024


class Exchange:
    """`open` it, `send` once, read `head` and the `body`, `close` it.

    Raises, in every call:
        OSError: the socket cannot be reached or went away; what answers does not speak HTTP, or was cut off.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._http = h11.Connection(our_role=h11.CLIENT)
        self._reader: asyncio.StreamReader
        self._writer: asyncio.StreamWriter

    async def open(self) -> None:
        """Connect."""
        self._reader, self._writer = await asyncio.open_unix_connection(str(self._path), limit=READ_BYTES)

    def close(self) -> None:
        """Let go of the connection, at once."""
        self._writer.transport.abort()

    async def send(self, method: str, target: str, body: bytes | None) -> None:
        """Send the whole question."""
        headers = [
            ("Host", "engine"),
            ("Connection", "close"),
            ("Accept", "application/json, application/x-ndjson"),
            (PROTOCOL_HEADER, str(PROTOCOL)),
            (VERSION_HEADER, __version__),
        ]
        if body is not None:
            headers += [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
        parts = [self._http.send(h11.Request(method=method, target=target, headers=headers))]
        if body is not None:
            parts.append(self._http.send(h11.Data(data=body)))
        parts.append(self._http.send(h11.EndOfMessage()))
        self._writer.write(b"".join(part for part in parts if part))
        await self._writer.drain()

    async def head(self) -> tuple[int, dict[str, str]]:
        """The answer's status and its headers, their names in small letters."""
        while True:
            event = await self._next()
            if isinstance(event, h11.Response):
                return event.status_code, {name.decode(): value.decode() for name, value in event.headers}
            if isinstance(event, h11.ConnectionClosed):
                raise ConnectionResetError("the connection was closed before an answer came")

    async def body(self) -> AsyncIterator[bytes]:
        """The answer's body in pieces, as they come."""
        while True:
            event = await self._next()
            if isinstance(event, h11.Data):
                yield bytes(event.data)
            elif isinstance(event, h11.EndOfMessage | h11.ConnectionClosed):
                return

    async def whole_body(self, most: int) -> bytes:
        """The answer's whole body; one of more than `most` bytes is an OSError."""
        pieces: list[bytes] = []
        size = 0
        async for piece in self.body():
            pieces.append(piece)
            size += len(piece)
            if size > most:
                raise ConnectionResetError(f"an answer of more than {most} bytes")
        return b"".join(pieces)

    async def _next(self) -> object:
        while True:
            try:
                event = self._http.next_event()
            except h11.RemoteProtocolError as error:
                raise ConnectionAbortedError(str(error)) from error
            if event is not h11.NEED_DATA:
                return event
            self._http.receive_data(await self._reader.read(READ_BYTES))
