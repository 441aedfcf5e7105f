"""What the names of a span's attributes say before any value is looked at: an application has few sets of them."""

from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

T = TypeVar("T")

SETS_KEPT = 512
"""Sets of names whose meaning is kept; an application has a few dozen."""
NAMES_KEPT = 64
"""Names in a set up to which it is kept: longer ones (lists that were taken apart) are seldom the same twice."""


class ByNames(Generic[T]):
    """What `make` makes of a set of attribute names, made once for all spans that have the same."""

    def __init__(self, make: Callable[[tuple[str, ...]], T]) -> None:
        """`make`: from the names, in their order; what it gives is shared and must not be changed."""
        self._make = make
        self._kept: dict[tuple[str, ...], T] = {}

    def of(self, attributes: Mapping[str, Any]) -> T:
        """What the names of these attributes mean; from any thread."""
        names = tuple(attributes)
        found = self._kept.get(names)
        if found is None:
            found = self._make(names)
            if len(names) <= NAMES_KEPT:
                if len(self._kept) >= SETS_KEPT:
                    self._kept.clear()
                self._kept[names] = found
        return found
