"""The engine's socket without our own client: bytes as anybody could write them."""

import json
import os
import pwd
import socket
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from console.domain.wire import PROTOCOL, PROTOCOL_HEADER


class Answer(NamedTuple):
    """What came back."""

    status: int
    body: str


def ask(path: Path, method: str, target: str, body: Any = None, limit_s: float = 10.0) -> Answer:
    """One request over a Unix socket.

    Raises:
        OSError: it cannot be reached.
    """
    data = b"" if body is None else json.dumps(body).encode()
    head = f"{method} {target} HTTP/1.1\r\nHost: engine\r\nConnection: close\r\n{PROTOCOL_HEADER}: {PROTOCOL}\r\n"
    head += f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n"
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(limit_s)
        connection.connect(str(path))
        connection.sendall(head.encode() + data)
        received = b""
        with suppress(TimeoutError):
            while piece := connection.recv(65536):
                received += piece
    start, _, rest = received.decode(errors="replace").partition("\r\n\r\n")
    return Answer(int(start.split()[1]) if start else 0, rest)


def ask_as(account: str, path: Path, method: str, target: str, body: Any = None) -> str:
    """The same from a process of another account (this one is root): the answer's status, or the error's name."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        said = "?"
        try:
            who = pwd.getpwnam(account)
            os.setgroups([])
            os.setgid(who.pw_gid)
            os.setuid(who.pw_uid)
            said = str(ask(path, method, target, body).status)
        except BaseException as error:  # noqa: BLE001  this process ends here, whatever happened
            said = type(error).__name__
        finally:
            os.write(writing, said.encode())
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as answer:
        said = answer.read()
    os.waitpid(child, 0)
    return said
