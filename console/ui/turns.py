"""Whose turn it is: keys go first, and what the engine sends is worked off in small pieces in the pauses between."""

import asyncio

ANSWER_S = 0.015
"""How long nothing else is begun after a key: time for its way to the widget, and for the paint that answers it."""
BREATH_S = 0.001
"""The pause between two pieces of work. It is a real one: the thread that reads the terminal has its turn, too."""
FRAME_S = 0.01
"""The pause after a piece that is to be painted before the next one: a little more than two paints are apart."""
LONGEST_S = 0.1
"""The longest that a piece of work waits for keys: under a hand that never rests the screen still lives."""


class Turns:
    """Told of each key as it comes, long before it is handled; work on data asks here before each piece."""

    def __init__(self) -> None:
        self._typed_at = float("-inf")

    def typed(self, at: float) -> None:
        """Somebody has just pressed a key or turned the wheel; called by the thread that reads the terminal.

        Args:
            at: when, by the event loop's clock.
        """
        self._typed_at = at

    def rest_s(self, now: float) -> float:
        """How long no key has come, in seconds; `now` by the event loop's clock."""
        return now - self._typed_at

    async def pause(self, rest_s: float = BREATH_S) -> None:
        """Let keys be answered; the next piece of work may begin when this returns, after `rest_s` seconds or later."""
        now = asyncio.get_running_loop().time
        latest = now() + LONGEST_S
        while rest_s > 0:
            await asyncio.sleep(rest_s)
            rest_s = min(self._typed_at + ANSWER_S, latest) - now()
