"""Long texts over many lines, made line by line: of a million characters only what is looked at is wrapped."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec

from console.domain.text import printable
from console.ui.cells import width_of

LONGEST_JSON = 100_000
"""Characters of a JSON text that is laid out; a longer one is shown as it is."""


def wrapped(text: str, width: int) -> Iterator[str]:
    """The lines of an untrusted text in `width` columns, each safe to show; its own line ends and indents are kept."""
    room = max(8, width)
    start = 0
    while start <= len(text):
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        yield from _paragraph(text[start:end].rstrip("\r").replace("\t", "    "), room)
        start = end + 1


def _paragraph(text: str, width: int) -> Iterator[str]:
    if not text:
        yield ""
    at = 0
    while at < len(text):
        piece = printable(text[at : at + width + 1])
        end = _break(piece, width)
        yield piece[:end].rstrip()
        at += end


def _break(piece: str, width: int) -> int:
    """How many characters of a text stand on one line: whole words, unless a word is longer than most of the line."""
    fits = min(len(piece), width)
    while fits > 1 and width_of(piece[:fits]) > width:
        fits -= 1
    if fits == len(piece):
        return fits
    if piece[fits] == " ":
        return fits + 1
    blank = piece.rfind(" ", width // 3, fits)
    return blank + 1 if blank > 0 else fits


def laid_out(text: str) -> str:
    """A JSON object or list with a line for each of its values; anything else as it is."""
    if text[:1] not in ("{", "[") or len(text) > LONGEST_JSON:
        return text
    try:
        return msgspec.json.format(text, indent=2)
    except (msgspec.DecodeError, RecursionError):
        return text


class Piece(NamedTuple):
    """A part of a text in one style."""

    text: str
    style: str = ""


def flowed(pieces: Sequence[Piece], width: int, limit: int) -> list[list[Piece]]:
    """Words in several styles, side by side over as many lines as they need, at most `limit`.

    The pieces' texts must be clean.
    """
    found: list[list[Piece]] = [[]]
    used = 0
    for piece in pieces:
        for word in piece.text.split():
            for part in _fitting(word, width):
                size = width_of(part)
                if used and used + 1 + size > width:
                    if len(found) == limit:
                        return found
                    found.append([])
                    used = 0
                _join(found[-1], part, piece.style, first=not used)
                used += size + (1 if used else 0)
    return found


def _join(line: list[Piece], word: str, style: str, *, first: bool) -> None:
    """Put a word behind the others, into the last piece where that has its style."""
    if line and line[-1].style == style:
        line[-1] = Piece(f"{line[-1].text} {word}", style)
        return
    if not first:
        line.append(Piece(" "))
    line.append(Piece(word, style))


def _fitting(word: str, width: int) -> Iterator[str]:
    """A word in parts that each fit a line."""
    while width_of(word) > width:
        end = _break(word[: width + 1], width)
        yield word[:end]
        word = word[end:]
    yield word
