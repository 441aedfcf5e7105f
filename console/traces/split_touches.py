"""A touch of memory as it is judged: its version as a number, where it is one, and its end."""

from dataclasses import dataclass
from typing import Self

from console.domain.conversations import Mark

WRITES = frozenset({"create", "update", "upsert"})
"""Operations that make a version."""
DIGITS_MOST = 18
"""A version of more digits is no number that anybody counted."""


@dataclass(frozen=True, slots=True)
class Touch:
    """One read or write of a key."""

    mark: Mark
    number: int | None
    """Its version; None where that is no whole number."""
    ended_at: float
    """Unix seconds; its beginning where no end is known."""
    writes: bool

    @classmethod
    def of(cls, mark: Mark) -> Self:
        """A mark of memory, judged."""
        version = mark.version
        counted = len(version) <= DIGITS_MOST and version.isascii() and version.isdigit()
        return cls(
            mark=mark,
            number=int(version) if counted else None,
            ended_at=mark.at if mark.ended_at is None else max(mark.at, mark.ended_at),
            writes=mark.op in WRITES,
        )

    @property
    def name(self) -> int | str:
        """Its version, as versions are told apart: `7` and `007` are one."""
        return self.mark.version if self.number is None else self.number
