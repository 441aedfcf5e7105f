"""What reaches the terminal: only the cells that differ from what it shows already.

Textual repaints regions; most cells of a repainted region are the same as before, and two thirds of the bytes are
colour codes. `ScreenMemory` reads Textual's output, remembers what each cell of the terminal last showed, and lets
through the cells that differ, with the shortest cursor moves and colour changes that lead there. It knows nothing of
widgets, so dialogs, screens, scrolling and themes need no care; whatever it does not understand it passes on and
forgets everything, which costs one full repaint and can never cost a wrong screen.
"""

import re
from functools import lru_cache

from console.ui.glyphs import plain

_TOKEN = re.compile(r"\x1b\[(\d+);(\d+)H|\x1b\[([\d;:]*)m|(\r?\n)|([^\x00-\x1f\x7f-\x9f]+)")
_HARMLESS = re.compile(
    r"(?:\x1b\[\?(?!1049|1047|47|6|3|2026)[\d;]*[hl]"  # terminal modes that move nothing on the screen
    r"|\x1b\[\?[\d;]*\$p|\x1b\[[<>][\d;]*u|\x1b\[\d? q|\x07|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\))+"
)
_SYNC_START, _SYNC_END = "\x1b[?2026h", "\x1b[?2026l"

_DRAWN_ON_SPACES = frozenset({"4", "5", "6", "7", "9", "21", "51", "52", "53"})
"""Underline, blink, reverse, strike and frames: attributes that show on a space too."""

_BRIDGE = 4
"""Equal cells between two differing ones that are cheaper to send again than to jump over."""


class ScreenMemory:
    """What the terminal shows, cell by cell, and how to change it with few bytes."""

    def __init__(self, *, ascii_only: bool = False) -> None:
        self._ascii = ascii_only
        self._width = self._height = 0
        self._texts: list[list[str | None]] = []
        self._styles: list[list[str | None]] = []
        self._at: tuple[int, int] | None = None  # where the terminal's cursor is; None: not known
        self._sgr: str | None = ""  # the terminal's colours and attributes; None: not known
        self._parked: tuple[int, int] | None = None  # where Textual last left the cursor
        self._sync_held = False

    def resize(self, width: int, height: int) -> None:
        """The terminal has this many columns and rows; another size than before means that nothing is known of it."""
        if (width, height) != (self._width, self._height):
            self._width, self._height = width, height
            self.forget()

    def forget(self) -> None:
        """Whatever the terminal shows now is not known: the next repaint is sent whole."""
        self._texts = [[None] * self._width for _ in range(self._height)]
        self._styles = [[None] * self._width for _ in range(self._height)]
        self._at = self._parked = None

    def reduce(self, data: str) -> str:
        """What has to be sent so that the terminal shows what it would show after `data`."""
        if data == _SYNC_START:
            self._sync_held = True
            return ""
        if data == _SYNC_END:
            held, self._sync_held = self._sync_held, False
            return "" if held else data
        if _HARMLESS.fullmatch(data):
            return data
        out = self._frame(data)
        if out is None:
            out = self._plain_style() + data
            self.forget()
        if out and self._sync_held:
            self._sync_held = False
            out = _SYNC_START + out
        return out

    def _plain_style(self) -> str:
        """Leave no colour behind when something else may write to the terminal."""
        reset = "" if self._sgr == "" else "\x1b[m"
        self._sgr = ""
        return reset

    def _frame(self, data: str) -> str | None:
        """One repaint; None when it holds anything that is not a move, a colour or text."""
        out: list[str] = []
        place: tuple[int, int] | None = None
        style, end, wrote = "", 0, False
        for token in _TOKEN.finditer(data):
            if token.start() != end:
                return None
            end = token.end()
            row, column, sgr, newline, text = token.groups()
            if text is not None:
                if place is None:
                    return None
                place = (place[0], place[1] + self._run(out, *place, plain(text) if self._ascii else text, style))
                wrote = True
            elif sgr is not None:
                style = "" if sgr in ("0", "") else sgr
            elif newline is not None:
                place = None
            else:
                place, wrote = (int(row) - 1, int(column) - 1), False
        if end != len(data):
            return None
        self._park(out, None if wrote else place)
        return "".join(out)

    def _park(self, out: list[str], place: tuple[int, int] | None) -> None:
        """Leave the cursor where Textual wants it: input methods open their window there."""
        if place is not None and (out or place != self._parked):
            self._parked = place
            self._move(out, *place)

    def _run(self, out: list[str], y: int, x: int, text: str, style: str) -> int:
        """Put text of one style; gives the columns that it takes."""
        cells = _cells(text)
        if cells is None:
            return self._raw_run(out, y, x, text, style)
        size = len(cells)
        if y >= self._height or x >= self._width:
            return size
        new = cells if x + size <= self._width else cells[: self._width - x]
        texts, styles, stop = self._texts[y], self._styles[y], x + len(new)
        if texts[x:stop] != new or styles[x:stop].count(style) != len(new):
            for start, length in _differences(texts[x:stop], styles[x:stop], new, style):
                self._put(out, y, x + start, new[start : start + length], style)
            _break_wide(texts, x, stop, new)
            texts[x:stop] = new
            styles[x:stop] = [style] * len(new)
        return size

    def _put(self, out: list[str], y: int, x: int, cells: list[str], style: str) -> None:
        if cells[0] == "":
            return  # the second half of a wide character, sent with its first
        self._move(out, y, x)
        self._colour(out, style)
        text = "".join(cells)
        out.append(text)
        end = x + len(cells)
        # Terminals may disagree on how wide a sign is, and on where the cursor stands after the last column.
        self._at = (y, end) if end < self._width and text.isascii() else None

    def _raw_run(self, out: list[str], y: int, x: int, text: str, style: str) -> int:
        """Text with characters that join their neighbours: sent as it is each time, and not remembered."""
        from rich.cells import cell_len

        size = cell_len(text)
        if y < self._height and x < self._width:
            self._move(out, y, x)
            self._colour(out, style)
            out.append(text)
            stop = min(self._width, x + size)
            self._texts[y][x:stop] = [None] * (stop - x)
            self._at = None
        return size

    def _move(self, out: list[str], y: int, x: int) -> None:
        at = self._at
        if at == (y, x):
            return
        if at is not None and at[0] == y and x > at[1]:
            step = x - at[1]
            out.append("\x1b[C" if step == 1 else f"\x1b[{step}C")
        elif x == 0:
            out.append(f"\x1b[{y + 1}H" if y else "\x1b[H")
        else:
            out.append(f"\x1b[{y + 1};{x + 1}H")
        self._at = (y, x)

    def _colour(self, out: list[str], style: str) -> None:
        if self._sgr != style:
            out.append(_change("" if self._sgr is None else self._sgr, style, known=self._sgr is not None))
            self._sgr = style


def _differences(
    texts: list[str | None], styles: list[str | None], new: list[str], style: str
) -> list[tuple[int, int]]:
    """(start, length) of the stretches that differ, those with few equal cells between them taken together."""
    changed = [
        i
        for i, text in enumerate(new)
        if texts[i] != text or (styles[i] != style and not (text == " " and _looks_blank(styles[i], style)))
    ]
    spans: list[tuple[int, int]] = []
    for place in changed:
        if spans and place - (spans[-1][0] + spans[-1][1]) <= _BRIDGE:
            spans[-1] = (spans[-1][0], place - spans[-1][0] + 1)
        else:
            spans.append((place, 1))
    return [_whole_characters(new, *span) for span in spans]


def _break_wide(texts: list[str | None], x: int, stop: int, new: list[str]) -> None:
    """Half a wide character that is about to lose its other half shows something that each terminal decides."""
    if x and texts[x] == "" and new[0] != "":
        texts[x - 1] = None
    if stop < len(texts) and texts[stop] == "":
        texts[stop] = None


@lru_cache(maxsize=4096)
def _looks_blank(old: str | None, new: str) -> bool:
    """Whether a space looks the same in both styles: the same background, and no line through or under it."""
    if old is None:
        return False
    before, after = _parts(old), _parts(new)
    return before[2] == after[2] and not (before[0] | after[0]) & _DRAWN_ON_SPACES


def _whole_characters(new: list[str], start: int, length: int) -> tuple[int, int]:
    """The stretch widened so that no wide character is cut."""
    if new[start] == "" and start > 0:
        start, length = start - 1, length + 1
    if start + length < len(new) and new[start + length] == "":
        length += 1
    return start, length


@lru_cache(maxsize=8192)
def _split(text: str) -> tuple[str, ...] | None:
    from rich.cells import get_character_cell_size

    cells: list[str] = []
    for char in text:
        size = get_character_cell_size(char)
        if size < 1:
            return None
        cells.append(char)
        if size == 2:
            cells.append("")
    return tuple(cells)


def _cells(text: str) -> list[str] | None:
    """One text a column, "" for the second column of a wide character; None when characters join each other."""
    if text.isascii():
        return list(text)
    cells = _split(text)
    return None if cells is None else list(cells)


@lru_cache(maxsize=4096)
def _change(old: str, new: str, *, known: bool) -> str:
    """The shortest colour sequence that leads from one style to another."""
    whole = f"\x1b[0;{new}m" if new else "\x1b[m"
    if not known or not new:
        return whole
    before, after = _parts(old), _parts(new)
    if before[0] - after[0]:
        return whole
    codes = sorted(after[0] - before[0])
    if before[1] != after[1]:
        codes.append(after[1] or "39")
    if before[2] != after[2]:
        codes.append(after[2] or "49")
    delta = f"\x1b[{';'.join(codes)}m"
    return delta if len(delta) <= len(whole) else whole


@lru_cache(maxsize=4096)
def _parts(style: str) -> tuple[frozenset[str], str, str]:
    """(attributes, foreground, background) of a colour sequence's numbers."""
    attributes: set[str] = set()
    foreground = background = ""
    codes = iter(style.split(";") if style else ())
    for code in codes:
        if code in ("38", "48"):
            kind = next(codes, "")
            count = 3 if kind == "2" else 1
            colour = ";".join([code, kind, *(next(codes, "0") for _ in range(count))])
            if code == "38":
                foreground = colour
            else:
                background = colour
        elif (code[:1] == "3" and len(code) == 2) or (code[:1] == "9" and len(code) == 2):
            foreground = "" if code == "39" else code
        elif (code[:1] == "4" and len(code) == 2) or (code[:2] == "10" and len(code) == 3):
            background = "" if code == "49" else code
        else:
            attributes.add(code)
    return frozenset(attributes), foreground, background
