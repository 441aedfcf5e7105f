"""A real collector process, and what its file holds by SQLite's own word."""

import http.client
import re
import signal
import sqlite3
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from tests.real.stack.processes import START_S, Child, Nursery

_NUMBERS = count(1)
READY = re.compile(r"receives spans on http://127\.0\.0\.1:(\d+)/v1/traces and keeps them in (.+)")


@dataclass(frozen=True)
class Answer:
    """What the collector said."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Collector:
    """`switchgear collect` on one port and one file; it may be killed and started again."""

    def __init__(self, nursery: Nursery, *more: str) -> None:
        self._nursery = nursery
        self._more = more
        self.port = 0  # the collector takes one that is free, and keeps it when it is started again
        self.name = f"collector-{next(_NUMBERS)}"
        self.file = nursery.folder / f"{self.name}.sqlite"
        self.child: Child
        self.start()

    @property
    def url(self) -> str:
        """Where spans go."""
        return f"http://127.0.0.1:{self.port}/v1/traces"

    def command(self) -> list[str]:
        """How it is started."""
        listen = ["--listen", f"127.0.0.1:{self.port}", "--file", str(self.file)]
        return [sys.executable, "-m", "console.cli.main", "collect", *listen, *self._more]

    def start(self) -> None:
        """Start it and wait until it says that it receives."""
        log = self._nursery.folder / f"{self.name}.log"
        before = len(READY.findall(log.read_text())) if log.exists() else 0
        self.child = self._nursery.spawn(self.name, self.command(), cwd=Path.cwd(), orderly=True)
        self.child.wait_until(lambda: len(READY.findall(log.read_text())) > before, START_S)
        self.port = int(READY.findall(log.read_text())[-1][0])

    def end(self) -> int:
        """Ask it to end, and wait; the exit code."""
        self.child.signal(signal.SIGTERM)
        code = self.child.process.wait(START_S)
        self._nursery.forget(self.child)
        return code

    def put_aside(self, name: str) -> Path:
        """End, put the file away under another name, and begin with an empty one; returns where the old one lies."""
        self.end()
        aside = self.file.with_name(f"{name}.sqlite")
        self.file.rename(aside)
        self.start()
        return aside

    def send(self, body: bytes, content_type: str = "application/x-protobuf", **headers: str) -> Answer:
        """POST one body; header names have `_` for `-`."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request("POST", "/v1/traces", body, {"Content-Type": content_type, **named})
            answer = connection.getresponse()
            return Answer(answer.status, dict(answer.getheaders()), answer.read())
        finally:
            connection.close()

    @contextmanager
    def opened(self) -> Iterator[sqlite3.Connection]:
        """Its file, as any other program opens it."""
        connection = sqlite3.connect(self.file, isolation_level=None, timeout=10)
        try:
            yield connection
        finally:
            connection.close()

    def spans(self) -> set[tuple[bytes, bytes]]:
        """(trace, span) of everything in the file."""
        with self.opened() as connection:
            rows = connection.execute("SELECT r.trace, s.span FROM spans s JOIN requests r ON r.id = s.request")
            return {(trace, span) for trace, span in rows}
