"""One queue as a look saw it, however it was read."""

from dataclasses import dataclass

from adapters.rabbitmq.api import Row
from adapters.rabbitmq.shape import Shape

_PLAIN = Shape()


@dataclass(slots=True)
class Seen:
    """The numbers that every way of reading brings, and the server's own row where it was asked for one."""

    ready: int = 0
    unacked: int = 0
    consumers: int | None = None
    state: str = "running"
    shape: Shape = _PLAIN
    row: Row | None = None
    """What the management API said at this look; None where only coarse numbers are known."""
