"""The terminal shows the same whether it gets Textual's whole output or only what differs."""

import random

import pyte
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.ui.output import ScreenMemory

WIDTH, HEIGHT = 40, 8

STYLES = ("", "1", "38;2;10;20;30", "1;38;2;10;20;30;48;2;1;1;1", "31", "7;31", "4;32", "48;5;17", "92;104", "2;3")
TEXTS = ("ok", " ", "      ", "dep-12", "│", "●", "日本", "▁▂▃", "x" * 30, "a b  c", "-", "日", "1234567890")


class Terminal:
    """A pyte screen, and what a person sees on it."""

    def __init__(self, width: int = WIDTH, height: int = HEIGHT) -> None:
        self.screen = pyte.Screen(width, height)
        self.stream = pyte.Stream(self.screen)
        self.screen.reset_mode(pyte.modes.DECAWM)

    def seen(self) -> list[list[tuple[object, ...]]]:
        """Character and look of each cell; a blank has no colour but its background's."""
        return [[_look(self.screen.buffer[y][x]) for x in range(self.screen.columns)] for y in range(self.screen.lines)]


def _look(char: pyte.screens.Char) -> tuple[object, ...]:
    drawn = char.reverse or char.underscore or char.strikethrough or char.blink
    if char.data == " " and not drawn:
        return (" ", char.bg)
    return (char.data, char.fg, char.bg, char.bold, char.italics, char.underscore, char.strikethrough, char.reverse)


def frame(*runs: tuple[int, int, str, str]) -> str:
    """What Textual writes for some spans (row, column, style, text)."""
    parts = [
        f"\x1b[{y + 1};{x + 1}H" + (f"\x1b[{style}m{text}\x1b[0m" if style else text) for y, x, style, text in runs
    ]
    return "".join(parts) + "\x1b[1;1H"


def whole(rng: random.Random) -> str:
    """A repaint of every line, from end to end, as Textual does it after a change of layout."""
    lines = []
    for y in range(HEIGHT):
        line, x = "", 0
        while x < WIDTH:
            style, text = rng.choice(STYLES), rng.choice("ab ●─xyz ")
            line += f"\x1b[{style}m{text}\x1b[0m" if style else text
            x += 1
        lines.append(f"\x1b[{y + 1};1H{line}")
    return "\n".join(lines) + "\x1b[1;1H"


runs = st.tuples(
    st.integers(0, HEIGHT - 1), st.integers(0, WIDTH - 31), st.sampled_from(STYLES), st.sampled_from(TEXTS)
)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.lists(runs, min_size=1, max_size=6), min_size=1, max_size=12), st.integers(0, 9))
def test_the_screen_is_the_same(frames: list[list[tuple[int, int, str, str]]], seed: int) -> None:
    full, less, memory = Terminal(), Terminal(), ScreenMemory()
    memory.resize(WIDTH, HEIGHT)
    sent = [whole(random.Random(seed)), *[frame(*_cut_no_wide(spans)) for spans in frames]]
    for data in sent:
        full.stream.feed(data)
        less.stream.feed(memory.reduce(data))
        assert less.seen() == full.seen()


def _cut_no_wide(spans: list[tuple[int, int, str, str]]) -> list[tuple[int, int, str, str]]:
    """Wide characters stand in columns of their own: what half of one shows is each terminal's own affair."""
    return [
        (y, x - x % 2, style, text if len(text) % 2 == 0 or any(c > "⺀" for c in text) else text + " ")
        for y, x, style, text in spans
    ]


def test_the_same_frame_again_sends_nothing() -> None:
    memory = ScreenMemory()
    memory.resize(WIDTH, HEIGHT)
    data = whole(random.Random(1))
    assert memory.reduce(data)
    assert memory.reduce(data) == ""
    assert memory.reduce("\x1b[?2026h") + memory.reduce(data) + memory.reduce("\x1b[?2026l") == ""


def test_one_changed_cell_costs_a_few_bytes() -> None:
    memory = ScreenMemory()
    memory.resize(WIDTH, HEIGHT)
    memory.reduce(frame((3, 0, "38;2;1;2;3;48;2;4;5;6", "requests 100 per minute")))
    sent = memory.reduce(frame((3, 0, "38;2;1;2;3;48;2;4;5;6", "requests 200 per minute")))
    assert "2" in sent
    assert len(sent) < 20


def test_another_size_makes_everything_new() -> None:
    memory = ScreenMemory()
    memory.resize(WIDTH, HEIGHT)
    data = whole(random.Random(2))
    first = memory.reduce(data)
    memory.resize(WIDTH + 1, HEIGHT)
    assert len(memory.reduce(data)) >= len(first)


@pytest.mark.parametrize("sequence", ["\x1b[?1049h", "\x1b[2J", "\x1b[?1049l", "\x1b[3;5r", "\x1b[5S"])
def test_what_is_not_understood_is_passed_on_and_everything_forgotten(sequence: str) -> None:
    memory = ScreenMemory()
    memory.resize(WIDTH, HEIGHT)
    data = whole(random.Random(3))
    memory.reduce(data)
    assert memory.reduce(sequence).endswith(sequence)
    assert "x" in memory.reduce(data)


@pytest.mark.parametrize(
    "sequence", ["\x1b[?25l", "\x07", "\x1b[?1004h", "\x1b[>25u", "\x1b]52;c;aGk=\x07", "\x1b[2 q"]
)
def test_modes_pass_and_nothing_is_forgotten(sequence: str) -> None:
    memory = ScreenMemory()
    memory.resize(WIDTH, HEIGHT)
    data = whole(random.Random(4))
    memory.reduce(data)
    assert memory.reduce(sequence) == sequence
    assert memory.reduce(data) == ""


def test_no_colour_is_left_behind_for_the_shell() -> None:
    memory = ScreenMemory()
    memory.resize(WIDTH, HEIGHT)
    memory.reduce(frame((0, 0, "31", "red")))
    assert memory.reduce("\x1b[?1049l") == "\x1b[m\x1b[?1049l"


def test_ascii_only_sends_nothing_else() -> None:
    memory = ScreenMemory(ascii_only=True)
    memory.resize(WIDTH, HEIGHT)
    sent = memory.reduce(frame((0, 0, "31", "● 日本 │ é ▁▂ …"), (1, 0, "", "plain")))
    assert sent.isascii()
    assert "* ???? | ? -- ~" in sent


def test_joined_characters_are_sent_as_they_are() -> None:
    memory, terminal = ScreenMemory(), Terminal()
    memory.resize(WIDTH, HEIGHT)
    for _ in range(2):
        terminal.stream.feed(memory.reduce(frame((2, 3, "", "e\u0301t\u0301"))))
    assert terminal.screen.display[2].strip() in ("e\u0301t\u0301", "\u00e9t\u0301")


def test_the_cursor_is_parked_where_it_was_asked_for() -> None:
    full, less, memory = Terminal(), Terminal(), ScreenMemory()
    memory.resize(WIDTH, HEIGHT)
    for data in (frame((1, 1, "", "input")) + "\x1b[2;7H", "\x1b[2;9H", frame((1, 1, "", "inpux")) + "\x1b[2;9H"):
        full.stream.feed(data)
        less.stream.feed(memory.reduce(data))
        assert (less.screen.cursor.y, less.screen.cursor.x) == (full.screen.cursor.y, full.screen.cursor.x)
