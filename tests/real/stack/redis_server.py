"""Redis on loopback, without any persistence: found on this machine, started on a free port."""

import shutil
import socket
from dataclasses import dataclass
from pathlib import Path

import redis

from tests.real.stack.missing import Missing
from tests.real.stack.processes import START_S, Child, Nursery, free_port


def program() -> Path:
    """`redis-server`, or `valkey-server`, which speaks the same.

    Raises:
        Missing: there is none.
    """
    found = shutil.which("redis-server") or shutil.which("valkey-server")
    if not found:
        raise Missing("Redis is not installed (apt-get install redis-server, or brew install redis)")
    return Path(found)


@dataclass(frozen=True, slots=True)
class RedisServer:
    """A running server."""

    child: Child
    port: int

    @property
    def url(self) -> str:
        """Where clients connect."""
        return f"redis://127.0.0.1:{self.port}"

    def client(self) -> redis.Redis:
        """A client whose answers are text."""
        return redis.Redis(port=self.port, decode_responses=True)


def start_redis(nursery: Nursery, name: str = "redis") -> RedisServer:
    """A server on a free port.

    Raises:
        Missing: Redis is not installed.
        StartError: it did not come up.
    """
    port = free_port()
    options = ("--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--daemonize", "no")
    child = nursery.spawn(name, [program(), *options])
    child.wait_until(lambda: _answers(port), START_S)
    return RedisServer(child, port)


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), 1) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
    except OSError:
        return False
