"""A touch of memory as it is judged: its version as a number, where it is one, and its end."""

import re
from dataclasses import dataclass
from typing import Self

from console.domain.conversations import Mark

WRITES = frozenset({"create", "update", "upsert"})
"""Operations that make a version."""
_COUNTED = re.compile(r"(?:v|r|rev|version)?[-_. ]?([0-9]{1,18})", re.IGNORECASE | re.ASCII)
"""A version that somebody counted: `7`, `v7`, `rev-7`; more than 18 digits are no count."""


@dataclass(frozen=True, slots=True)
class Touch:
    """One read or write of a key."""

    mark: Mark
    number: int | None
    """Its version, counted: `7`, `v7`; None where it is not."""
    ended_at: float
    """Unix seconds; its beginning where no end is known."""
    writes: bool

    @classmethod
    def of(cls, mark: Mark) -> Self:
        """A mark of memory, judged."""
        counted = _COUNTED.fullmatch(mark.version)
        return cls(
            mark=mark,
            number=int(counted[1]) if counted else None,
            ended_at=mark.at if mark.ended_at is None else max(mark.at, mark.ended_at),
            writes=mark.op in WRITES,
        )

    @property
    def name(self) -> int | str:
        """Its version, as versions are told apart: `7` and `007` are one."""
        return self.mark.version if self.number is None else self.number
