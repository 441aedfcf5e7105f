"""What operators set on the gateway: stored once, heard of by one replica after the other."""

from collections.abc import Callable
from typing import Any, NamedTuple


class Setting(NamedTuple):
    """One thing that can be set: `mode`, `weight`, `order` of a deployment, or `alias` of a route."""

    field: str
    name: str


class _Pending(NamedTuple):
    at: float
    replica: int
    setting: Setting
    value: Any


class Settings:
    """The gateway's stored configuration, and how far each replica has taken it in."""

    def __init__(self, replicas: int, converge_s: float, apply: Callable[[int, Setting, Any], None]) -> None:
        self._replicas = replicas
        self._converge_s = converge_s
        self._apply = apply
        self._stored: dict[Setting, Any] = {}
        self._pending: list[_Pending] = []
        self.lost: set[int] = set()
        """Replicas that hear nothing; what they missed reaches them when they are back."""

    def stored(self, setting: Setting, default: Any) -> Any:
        """What was last set, whether or not every replica knows it; `default` when nothing was."""
        return self._stored.get(setting, default)

    def store(self, now: float, setting: Setting, value: Any) -> None:
        """Set something at `now`: the first replica knows it at once, each further one `converge_s` later."""
        self._stored[setting] = value
        for replica in range(self._replicas):
            if replica == 0 and 0 not in self.lost:
                self._apply(0, setting, value)
            else:
                self._pending.append(_Pending(now + replica * self._converge_s, replica, setting, value))

    def spread(self, now: float) -> None:
        """Let the replicas hear of everything that has reached them by `now`."""
        due = [item for item in self._pending if item.at <= now and item.replica not in self.lost]
        if not due:
            return
        self._pending = [item for item in self._pending if item not in due]
        for item in due:
            self._apply(item.replica, item.setting, item.value)
