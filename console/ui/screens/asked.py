"""What a page asked the engine for: not there yet, there, or why not."""

from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from console.domain.errors import EngineLost, Refusal
from console.ui.cells import Cell, Line
from console.ui.view.wrapped import wrapped

T = TypeVar("T")

AGAIN_S = 2.0
"""What goes on is asked for again when the board has become this much older."""


@dataclass(slots=True)
class Asked(Generic[T]):
    """One answer of the engine, which a page shows when it comes; the page is open before."""

    what: str
    """In the sentence `asking for …`."""
    value: T | None = None
    """The answer; None before there is one."""
    why_not: str = ""
    """Why there is none, in words; empty while it is waited for."""
    _at: float = field(default=float("-inf"))
    _busy: bool = False
    _final: bool = False

    def due(self, at: float, *, news: bool = False, more: bool = False) -> bool:
        """Whether to ask now, for a board of this moment.

        Args:
            at: its time, unix seconds.
            news: whether another answer is to be expected.
            more: whether what is there is only a part of the answer.
        """
        wanted = news or ((self.value is None or more) and not self._final)
        return wanted and not self._busy and at - self._at >= AGAIN_S

    async def ask(self, at: float, answer: Awaitable[T]) -> None:
        """Wait for the answer. A refusal is final, a lost engine is asked again; an answer that was there stays."""
        self._at, self._busy = at, True
        try:
            self.value = await answer
            self.why_not = ""
        except Refusal as refusal:
            self.why_not, self._final = refusal.words, True
        except EngineLost as error:
            self.why_not = f"the engine is lost: {error}"
        finally:
            self._busy = False

    def words(self, width: int) -> list[Line]:
        """What stands in the place of an answer that is not there."""
        if self.why_not:
            why = [Line((Cell(f" {part}", "bad"),)) for part in wrapped(self.why_not, width - 1)]
            return [*why, Line((Cell(" Esc goes back", "muted"),))]
        return [Line((Cell(f" asking for {self.what}", "muted"),))]
