"""From an environment's name to a client of its engine."""

from console.client.socket_client import SocketClient
from console.client.starter import Starter
from console.places import reachable_socket, socket_path


def attach(environment: str, *, start: bool = True) -> SocketClient:
    """A client of the engine of `environment`; it connects at its first call, so this never waits.

    With `start`, an engine is started at once when none listens, and boots while the caller goes on.

    Raises:
        ConfigError: the socket's path is too long.
        EngineLost: no process can be started.
    """
    path = reachable_socket(environment)
    own = path == socket_path(environment)
    starter = Starter(path, environment) if start and own else None
    if starter is not None:
        starter.begin()
    return SocketClient(path, environment, starter)
