"""What the screens show: the board as it was at one moment, judged. The live board goes on beneath it."""

from collections.abc import Callable, Iterator
from copy import copy

from console.domain.board import Board
from console.domain.readings import AnyReading
from console.ui.view.judged import AT_ONCE, Judgements

FREED_AT_ONCE = 500
"""Readings that are forgotten without a break: about a millisecond."""

Prepare = Callable[[Board, Judgements], Iterator[None]]
"""Makes what will be shown of a board, in steps."""


class Sight:
    """One moment of a board that others write to.

    All that a screen shows is of the same moment, also the lines that are made later, when somebody scrolls to them.
    """

    def __init__(self, live: Board, prepare: Prepare) -> None:
        """Begin with nothing.

        Args:
            live: the board that others write to.
            prepare: what is made of each new moment before it is there to be seen.
        """
        self._live = live
        self._prepare = prepare
        self._look: Iterator[None] | None = None
        self.board = Board()
        """The board at that moment, empty before the first look; nobody writes to it."""
        self.judged = Judgements()
        """What is to be thought of it; another one at each moment."""
        self._past: list[AnyReading] = []

    def look(self) -> None:
        """Take the present moment, at once."""
        while self._look is not None:
            self.step()
        while not self.step():
            pass

    def step(self) -> bool:
        """Make a short step to what was the present moment at the first one; gives True when it was the last.

        Until then the former moment stands. For a small board one step is enough.
        """
        look, self._look = self._look or self._steps(), None
        if next(look, self) is self:
            return True
        self._look = look
        return False

    def _steps(self) -> Iterator[None]:
        board, judged = self._live.copy(), copy(self.judged)
        for steps in (self._let_go(), judged.steps(board), self._prepare(board, judged)):
            for _ in steps:
                if len(board.readings) > AT_ONCE:
                    yield
        self._past = list(self.board.readings.values())
        self.board, self.judged = board, judged

    def _let_go(self) -> Iterator[None]:
        """Forget the moment before, a few readings at a time: to free thousands at once takes longer than a key may.

        By now the screens show another one, so that nobody else holds those that have changed since.
        """
        while self._past:
            yield
            del self._past[-FREED_AT_ONCE:]
