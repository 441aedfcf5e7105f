"""Keys that move a cursor, and how long each waits for its paint.

Each key is chosen by what the screen shows, so that it has to move the cursor's bar: down in the upper part of the
screen, up in the lower part, and on as before between the two. The next key waits until the bar has moved. So every key
that is pressed is counted, with its whole wait; a key that moves nothing would count with `PATIENCE_S`.
"""

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import pyte

from benchmarks.terminal import Terminal, pump

PATIENCE_S = 3.0
"""How long a key may wait for its paint before it counts as one that moves nothing, with this time."""
_TURN = 0.25
"""Part of the screen, at its top and at its bottom, in which the cursor turns round."""
_EVERY = 9
"""Columns between two in which the bar is looked for: no list is narrower."""

Look = tuple[tuple[tuple[str, bool], ...], ...]
"""Background and reversal of some columns, line by line."""


@dataclass(slots=True)
class Typist:
    """Presses keys on one program and times them.

    A terminal emulator follows the program's output, but only when no key waits: reading it costs the run nothing.
    """

    terminal: Terminal
    down: str
    up: str
    delays: list[float] = field(default_factory=list)
    """Milliseconds from each key to the arrival of the chunk that shows the bar elsewhere."""
    unmoved: int = 0
    """Keys that moved nothing."""
    _screen: pyte.Screen = field(init=False)
    _stream: pyte.ByteStream = field(init=False)
    _read: int = 0
    _at: tuple[int, int] = (0, 0)
    """Line and column of the bar that moved last: other lists on the screen have bars of their own."""
    _goes_down: bool = True

    def __post_init__(self) -> None:
        self._screen = pyte.Screen(self.terminal.columns, self.terminal.rows)
        self._stream = pyte.ByteStream(self._screen)

    def press(self, wait: Callable[[float], object], rest_s: float) -> None:
        """Press one key and note its delay; returns when the bar has moved, and after `rest_s` at the earliest.

        Args:
            wait: takes what the program writes, for so many seconds.
            rest_s: seconds until the next key.
        """
        while self._feed():
            pass
        before = self._look()
        begun = self.terminal.press(self._next(before))
        waited, moved = 0.0, None
        while moved is None and waited < PATIENCE_S:
            wait(rest_s)
            waited += rest_s
            moved = self._moved(before)
        self.unmoved += moved is None
        self.delays.append(PATIENCE_S * 1000 if moved is None else (moved - begun) * 1000)

    def _next(self, look: Look) -> str:
        """The key that moves the cursor from where it is."""
        line, column = self._at
        lines = [y for y, x in _bars(look) if x == column]
        line = min(lines, key=lambda y: abs(y - line), default=line)
        if line < _TURN * len(look):
            self._goes_down = True
        elif line > (1 - _TURN) * len(look):
            self._goes_down = False
        return self.down if self._goes_down else self.up

    def _moved(self, before: Look) -> float | None:
        """When the bar stood elsewhere for the first time; None when it stands where it did."""
        while at := self._feed():
            now = self._look()
            if now != before:
                self._at = min(_bars(now) - _bars(before), default=self._at)
                return at
        return None

    def _feed(self) -> float | None:
        """Read one more chunk of output, if there is one; gives when it came."""
        if self._read == len(self.terminal.chunks):
            return None
        at, data = self.terminal.chunks[self._read]
        self._read += 1
        self._stream.feed(data)
        return at

    def _look(self) -> Look:
        screen, columns = self._screen, range(3, self._screen.columns, _EVERY)
        lines = ([screen.buffer[y][x] for x in columns] for y in range(screen.lines))
        return tuple(tuple((cell.bg, cell.reverse) for cell in line) for line in lines)


def _bars(look: Look) -> set[tuple[int, int]]:
    """Lines and columns whose background is neither that of most lines nor that of the frame."""
    usual, frame = Counter(look).most_common(1)[0][0], look[0]
    return {(y, x) for y, line in enumerate(look) for x, cell in enumerate(line) if cell not in (usual[x], frame[x])}


def type_in_turn(console: Terminal, bare: Terminal, keys: int, rng: random.Random) -> tuple[Typist, Typist]:
    """So many keys to the console and to a bare app, in turn, at a person's pace; (the console's, the bare app's)."""
    both = Typist(console, "j", "k"), Typist(bare, "\x1b[B", "\x1b[A")
    for _ in range(keys):
        for typist in both:
            typist.press(partial(pump, [console, bare]), rng.uniform(0.06, 0.14))
    return both
