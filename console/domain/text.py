"""Text that came from outside, made safe to show."""

import unicodedata

MOST_MARKS = 4
"""Combining marks that one character may carry; no living script needs more, and a pile of them covers other lines."""

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_MARKS = frozenset({"Mn", "Me"})


def clean(text: str, limit: int = 200) -> str:
    """One line of printable text: no control characters, no escapes, no direction overrides.

    Hidden characters become `�` so that two names that differ stay different on the screen; runs of
    ordinary white space become one space; a text longer than `limit` characters ends in `…`.
    Marks without a character to stand on, or more than `MOST_MARKS` on one, count as hidden.
    The result is still not markup: hand it to Textual or Rich as plain text.
    """
    if text.isascii() and text.isprintable() and "  " not in text:
        line = text
    else:
        spaced = " ".join(text[: 4 * limit].split())
        line = _shown(spaced)
    return line if len(line) <= limit else line[: limit - 1] + "…"


def printable(text: str) -> str:
    """`text` with hidden characters as `�` and everything else, lines and spaces too, as it is.

    The last fence before a terminal, for sentences of our own in which something from outside may stand.
    """
    return text if text.isascii() and text.isprintable() else "\n".join(_shown(line) for line in text.split("\n"))


def _shown(line: str) -> str:
    """`line` with hidden characters as `�`, and marks too where they would stand on a neighbour or pile up over it."""
    shown, marks = [], MOST_MARKS
    for char in line:
        category = unicodedata.category(char)
        marks = marks + 1 if category in _MARKS else 0
        if category in _HIDDEN or marks > MOST_MARKS:
            char, marks = "�", 0
        shown.append(char)
    return "".join(shown)
