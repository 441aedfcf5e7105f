"""What was made from something stays as it is while that something does: the quiet part of a large board is free."""

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")

MOST = 20_000
"""Things that are kept at the most; more are forgotten all at once."""


class Kept(Generic[T]):
    """Things by key, each with the stamp of what it was made from."""

    def __init__(self) -> None:
        self._things: dict[Hashable, tuple[object, T]] = {}

    def get(self, key: Hashable, stamp: object, make: Callable[[], T]) -> T:
        """The thing of `key`: the one that was made before when its stamp is equal, otherwise a new one."""
        known = self._things.get(key)
        if known is not None and known[0] == stamp:
            return known[1]
        if len(self._things) >= MOST:
            self._things.clear()
        thing = make()
        self._things[key] = (stamp, thing)
        return thing
