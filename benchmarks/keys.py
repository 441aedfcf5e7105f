"""Keys that move a cursor, and how long each waits for its paint.

Each key is chosen from what the screen shows, so that it has to move the cursor's bar: down in the upper part of the
screen, up in the lower one, on the way between the two as before. The next key is not pressed before the bar has moved,
so every key is counted with its whole wait; one that moves nothing within `PATIENCE_S` is counted apart.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pyte

from benchmarks.terminal import Terminal, pump

PATIENCE_S = 3.0
"""How long a key may wait for its paint before it counts as one that moves nothing."""
_TURN = 0.25
"""Part of the screen at its top and its bottom in which the cursor turns round."""


@dataclass(slots=True)
class Typist:
    """Presses keys on one program and times them. A terminal emulator follows its output, but only between the keys."""

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
    _goes_down: bool = True

    def __post_init__(self) -> None:
        self._screen = pyte.Screen(self.terminal.columns, self.terminal.rows)
        self._stream = pyte.ByteStream(self._screen)

    def press(self, wait: Callable[[float], None], rest_s: float) -> None:
        """Press a key, take what comes for `rest_s` and until the bar has moved, and note how long that took."""
        self._follow()
        before = _bars(self._screen)
        begun = self.terminal.press(self._next())
        waited, moved = 0.0, None
        while moved is None and waited < PATIENCE_S:
            wait(rest_s)
            waited += rest_s
            moved = self._moved(before)
        if moved is None:
            self.unmoved += 1
        else:
            self.delays.append((moved - begun) * 1000)

    def _next(self) -> str:
        lines = [at for at, bar in enumerate(_bars(self._screen)) if bar]
        if lines:
            height = self.terminal.rows
            if lines[0] < _TURN * height:
                self._goes_down = True
            elif lines[0] > (1 - _TURN) * height:
                self._goes_down = False
        return self.down if self._goes_down else self.up

    def _follow(self) -> None:
        while self._read < len(self.terminal.chunks):
            self._stream.feed(self.terminal.chunks[self._read][1])
            self._read += 1

    def _moved(self, before: Sequence[bool]) -> float | None:
        """When the bar stood elsewhere than before for the first time."""
        while self._read < len(self.terminal.chunks):
            at, data = self.terminal.chunks[self._read]
            self._read += 1
            self._stream.feed(data)
            if _bars(self._screen) != before:
                return at
        return None


def _bars(screen: pyte.Screen) -> list[bool]:
    raise NotImplementedError
