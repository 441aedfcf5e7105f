"""Answers of `adapters.http_wire.Transport` without a network: for recordings, and for a body of a test's own."""

from collections.abc import AsyncIterator, Mapping

import msgspec

from adapters.http_wire import Answer


def played(status: int, body: str | object, content_type: str = "application/json") -> Answer:
    """One answer; `body` is text, or a value to be written as JSON."""
    content = body.encode() if isinstance(body, str) else msgspec.json.encode(body)

    async def chunks() -> AsyncIterator[bytes]:
        yield content

    return Answer(status, {"content-type": content_type}, chunks())


class Played:
    """A server that answers every path with a JSON value of its own."""

    def __init__(self, answers: Mapping[str, object]) -> None:
        self._answers = answers

    async def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        """See `Transport`."""
        path = "/" + url.partition("://")[2].partition("?")[0].partition("/")[2]
        return played(200, self._answers[path])

    async def close(self) -> None:
        """Nothing is held."""
