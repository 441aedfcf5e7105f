"""Pages of which each piece is made when it is first looked at: of 2,000 lines only those in view are."""

from collections.abc import Callable, Generator, Hashable, Sequence
from typing import Generic, TypeVar, cast, overload

T = TypeVar("T")

Steps = Generator[None, None, T]
"""Work that is done piece by piece, so that others have their turn between two pieces; it returns what it made."""


def whole(steps: Steps[T]) -> T:
    """Do all of it at once."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return cast("T", end.value)


class Lazy(Sequence[T], Generic[T]):
    """A sequence whose keys are known at once; a slice of it is as lazy as the whole."""

    __slots__ = ("_made", "_make", "keys")

    def __init__(self, keys: Sequence[Hashable | None], make: Callable[[int], T]) -> None:
        """Make nothing yet.

        Args:
            keys: the key of each thing, as its line or row will have it.
            make: makes the thing at a place; called once for each that is looked at.
        """
        self.keys = keys
        """One a thing."""
        self._make = make
        self._made: dict[int, T] = {}

    def __len__(self) -> int:
        return len(self.keys)

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> "Lazy[T]": ...

    def __getitem__(self, index: "int | slice") -> "T | Lazy[T]":
        if isinstance(index, slice):
            places = range(len(self))[index]
            return Lazy(self.keys[index], lambda at: self[places[at]])
        place = range(len(self))[index]
        thing = self._made.get(place)
        if thing is None:
            thing = self._made[place] = self._make(place)
        return thing
