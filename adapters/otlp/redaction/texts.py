"""Looking for expressions in texts, in time that grows with the text alone, and putting marks in their places."""

from base64 import b64decode
from collections.abc import Sequence
from typing import Any

MATCHES_MOST = 500
"""Matches in one text; with more of them the whole text goes."""
KNOWN_MOST = 10_000
"""Short texts that are remembered to hold nothing: most values of most spans are the same few."""
SHORT = 120
"""Characters of a text that is remembered."""

_MEMORY = 8 * 2**20
"""Bytes that one expression may take, compiled; one that needs more is refused."""


def compiled(pattern: str) -> Any:
    """An expression, ready to search.

    Raises:
        ValueError: it is none of RE2's.
    """
    import re2  # the collector alone has use for it

    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MEMORY
    options.never_capture = True
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        words = error.args[0].decode() if error.args and isinstance(error.args[0], bytes) else str(error)
        raise ValueError(
            f"this is no expression of RE2, which knows no look-around and no back-references: {words}"
        ) from None


def mark(rule: str) -> str:
    """What stands in the place of what was redacted."""
    return f"‹redacted: {rule}›"


class Texts:
    """Finds what some expressions match in a text."""

    def __init__(self, patterns: Sequence[tuple[str, str]]) -> None:
        """`patterns`: (name of the rule, expression), the first first."""
        self._each = [(mark(name), compiled(pattern)) for name, pattern in patterns]
        self._any = _together([pattern for _, pattern in patterns])
        self._nothing_in: set[str] = set()

    def screened(self, text: str) -> str:
        """The text with marks in the places of what was found."""
        if not self._any or text in self._nothing_in:
            return text
        if self._found_in(text):
            return self._marked(text)
        if (bytes_said := _text_in_base64(text)) and self._found_in(bytes_said):
            return next(word for word, pattern in self._each if pattern.search(bytes_said) is not None)
        if len(text) <= SHORT:
            if len(self._nothing_in) >= KNOWN_MOST:
                self._nothing_in.clear()
            self._nothing_in.add(text)
        return text

    def _found_in(self, text: str) -> bool:
        return any(pattern.search(text) is not None for pattern in self._any)

    def _marked(self, text: str) -> str:
        """Everything that any of them matches in the text as it came goes; what overlaps goes as one."""
        found: list[tuple[int, int, str]] = []
        for word, pattern in self._each:
            for one in pattern.finditer(text):
                found.append((*one.span(), word))
                if len(found) > MATCHES_MOST:
                    return word
        pieces: list[str] = []
        end = 0
        for begin, until, word in sorted(found, key=lambda one: one[:2]):
            if begin >= end:
                pieces += (text[end:begin], word)
            end = max(end, until)
        return "".join((*pieces, text[end:]))


def _together(patterns: Sequence[str]) -> list[Any]:
    """One expression that matches where any of these does; themselves, if that one would be too large."""
    if not patterns:
        return []
    try:
        return [compiled("|".join(f"(?:{pattern})" for pattern in patterns))]
    except ValueError:
        return [compiled(pattern) for pattern in patterns]


def _text_in_base64(text: str) -> str:
    """What an attribute of bytes says, if that is text: bytes come as base64. Empty for anything else."""
    if len(text) < 12 or len(text) % 4 or not text.isascii():
        return ""
    try:
        return b64decode(text, validate=True).decode()
    except ValueError:
        return ""
