"""How one thing differs in two requests, as lines: words with + and -, values beside each other, factors."""

from collections.abc import Iterator, Sequence

from console.domain.difference import Change, Difference, Run
from console.ui import format as fmt
from console.ui.cells import Cell, fit, width_of
from console.ui.glyphs import Glyphs
from console.ui.view.wrapped import Piece, flowed, wrapped

AROUND = 8
"""Words that are shown before and after what changed."""
LONGEST = 4_000
"""Characters of one changed stretch."""
LINES = 2_000
"""Lines of one text at the most."""
LABEL = 24

_SIGN = {Change.SAME: "=", Change.ONLY_FIRST: "-", Change.ONLY_SECOND: "+"}
_WORD = {
    Change.SAME: "same",
    Change.CHANGED: "changed",
    Change.ONLY_FIRST: "gone",
    Change.ONLY_SECOND: "new",
}
STYLE = {Change.SAME: "muted", Change.CHANGED: "warn", Change.ONLY_FIRST: "bad", Change.ONLY_SECOND: "ok"}
"""The style of a change."""


def sign(change: Change, glyphs: Glyphs) -> str:
    """Sign and word of a change: `- gone`, `+ new`."""
    return f"{_SIGN.get(change, glyphs.differs)} {_WORD[change]}"


def lines(difference: Difference, width: int, glyphs: Glyphs) -> Iterator[tuple[Cell, ...]]:
    """One difference over as many lines as it needs."""
    what = fmt.name(difference.what, 120)
    if difference.runs:
        alone = difference.change in (Change.ONLY_FIRST, Change.ONLY_SECOND)
        mark = f"{_SIGN[difference.change]} " if alone else ""
        yield (Cell(mark + what, STYLE[difference.change] if alone else "title"),)
        for line in flowed(_words(difference.runs, glyphs), width - 2, LINES):
            yield (Cell("  "), *(Cell(piece.text, piece.style) for piece in line))
        return
    first, second = fmt.name(difference.first, LONGEST), fmt.name(difference.second, LONGEST)
    if difference.change in (Change.ONLY_FIRST, Change.ONLY_SECOND):
        said = first or second
        style = STYLE[difference.change]
        yield from _signed(_SIGN[difference.change], f"{what}  {said}".rstrip(), str(difference.change), style, width)
        return
    label = Cell(fit(what, max(LABEL, width_of(what))) + " ", "title")
    if width_of(label.text) + width_of(first) + width_of(second) + 8 <= width:
        yield (label, Cell(f"- {first or '(nothing)'}", "bad"), Cell("   "), Cell(f"+ {second or '(nothing)'}", "ok"))
        return
    yield (Cell(what, "title"),)
    yield from _signed("-", first or "(nothing)", "", "bad", width, "  ")
    yield from _signed("+", second or "(nothing)", "", "ok", width, "  ")


def _signed(mark: str, text: str, after: str, style: str, width: int, indent: str = "") -> Iterator[tuple[Cell, ...]]:
    said = f"{text}  ({after})" if after else text
    for at, line in enumerate(wrapped(said, width - 2 - len(indent))):
        yield (Cell(f"{indent}{mark if at == 0 else ' '} {line}", style),)


def _words(runs: Sequence[Run], glyphs: Glyphs) -> list[Piece]:
    """The words of a text in both requests; long stretches that are the same are counted, not shown."""
    found: list[Piece] = []
    for place, run in enumerate(runs):
        if run.change is Change.SAME:
            found += _unchanged(run.text.split(), first=place == 0, last=place == len(runs) - 1, glyphs=glyphs)
        elif run.text.strip():
            gone = run.change is Change.ONLY_FIRST
            text = fmt.name(run.text.strip(), LONGEST)
            found.append(Piece(f"[-{text}-]" if gone else f"{{+{text}+}}", "bad" if gone else "ok"))
    return found


def _unchanged(words: Sequence[str], *, first: bool, last: bool, glyphs: Glyphs) -> Iterator[Piece]:
    before = 0 if first else AROUND
    after = 0 if last else AROUND
    hidden = len(words) - before - after
    if hidden <= AROUND:
        yield Piece(fmt.name(" ".join(words), LONGEST))
        return
    dots = glyphs.ellipsis
    if before:
        yield Piece(fmt.name(" ".join(words[:before]), LONGEST))
    yield Piece(f"{dots}{hidden:,} words the same{dots}", "muted")
    if after:
        yield Piece(fmt.name(" ".join(words[-after:]), LONGEST))


def factor(first: float | None, second: float | None, more: str, less: str) -> str:
    """How the second compares to the first: `3.1× slower`; empty where they are about the same or one is not known."""
    if not first or not second or first < 0 or second < 0:
        return ""
    part = second / first
    if 1 / 1.1 < part < 1.1:
        return ""
    return f"{fmt.times(part)} {more}" if part > 1 else f"{fmt.times(1 / part)} {less}"
