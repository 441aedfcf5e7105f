"""Text that came from outside, made safe to show."""

import unicodedata

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def clean(text: str, limit: int = 200) -> str:
    """One line of printable text: no control characters, no escapes, no direction overrides.

    Hidden characters become `�` so that two names that differ stay different on the screen; runs of
    ordinary white space become one space; a text longer than `limit` characters ends in `…`.
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
    return "".join("�" if unicodedata.category(char) in _HIDDEN else char for char in line)
