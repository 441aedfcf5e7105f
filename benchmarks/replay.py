"""From recorded output to the delay of each key: the chunk after which the cursor's bar stands elsewhere."""

import pyte

from benchmarks.terminal import Terminal


def delays(terminal: Terminal, presses: list[float]) -> list[float]:
    """Milliseconds from each key to the arrival of the chunk that shows the cursor on another line.

    The output is played back on a terminal emulator after the run, so that reading it costs the run nothing; data
    that is painted meanwhile moves no cursor and is not mistaken for an answer.
    """
    screen = pyte.Screen(terminal.columns, terminal.rows)
    stream = pyte.ByteStream(screen)
    waiting = list(presses)
    found: list[float] = []
    known = _bars(screen)
    for at, data in terminal.chunks:
        stream.feed(data)
        if waiting and at >= waiting[0]:
            now = _bars(screen)
            if now != known:
                found.append((at - waiting.pop(0)) * 1000)
                while waiting and waiting[0] <= at:
                    waiting.pop(0)
            known = now
        else:
            known = _bars(screen) if waiting else known
    return found


def _bars(screen: pyte.Screen) -> tuple[object, ...]:
    """Background and reversal of each line, in a column of every third of the screen."""
    columns = (3, screen.columns // 3 + 3, 2 * screen.columns // 3 + 3)
    return tuple(
        (cell.bg, cell.reverse) for y in range(screen.lines) for cell in (screen.buffer[y][x] for x in columns)
    )
