"""What stands in an expression, before CEL compiles it: enough to bound its cost and to make all its numbers alike.

CEL keeps whole numbers and fractions apart (`p95(x) * 2` is an error there). Every number that an expression meets is
a fraction here, so whole numbers are written as fractions before they are compiled: `2` becomes `2.0`, except in an
index (`names[0]`).
"""

import re
from typing import NamedTuple

MOST_CHARACTERS = 1000
MOST_TOKENS = 300
MOST_DEEP = 30
"""Brackets inside one another."""
MOST_MACROS = 2
"""Walks over a list in one expression, none of them inside another."""
WALKED_CALLS = 10
"""Functions that an expression may call that walks over a list."""
WALKED_SUMS = 4
"""`+` in an expression that walks over a list: joined lists cost the square of their length."""
MOST_SUMS = 30

MACROS = frozenset({"all", "exists", "exists_one", "filter"})
REFUSED_MACROS = frozenset({"map", "reduce", "transformList", "transformMap", "transformMapEntry", "existsOne"})

_STRING = (
    r"[bB]?[rR]\"\"\"[\s\S]*?\"\"\"|[bB]?[rR]'''[\s\S]*?'''|[bB]?[rR]\"[^\"\n\r]*\"|[bB]?[rR]'[^'\n\r]*'"
    r"|[bB]?\"\"\"(?:\\[\s\S]|[^\\])*?\"\"\"|[bB]?'''(?:\\[\s\S]|[^\\])*?'''"
    r"|[bB]?\"(?:\\.|[^\\\"\n\r])*\"|[bB]?'(?:\\.|[^\\'\n\r])*'"
)
_TOKEN = re.compile(
    rf"(?P<space>\s+|//[^\n]*)|(?P<string>{_STRING})|(?P<hex>0[xX][0-9a-fA-F]+[uU]?)"
    r"|(?P<fraction>\d+\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+|\.\d+(?:[eE][+-]?\d+)?)|(?P<whole>\d+[uU]?)"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_]*)|(?P<sign>&&|\|\||==|!=|<=|>=|.)",
    re.DOTALL,
)
_OPEN, _SHUT = ("(", "[", "{"), (")", "]", "}")
SAME = {"size": "count", "duration": "seconds"}
"""What CEL has in types of its own, and its like here, which gives a number as every other function does."""


class Token(NamedTuple):
    """One word or sign."""

    kind: str
    """`string`, `hex`, `fraction`, `whole`, `name` or `sign`."""
    text: str
    at: int
    """Its place in the text, from 0."""


class Call(NamedTuple):
    """One function called in the text."""

    name: str
    at: int
    arguments: tuple[Token | None, ...]
    """Each argument that is a single word, the object before the dot first; None for what is more."""
    method: bool
    """Written behind a dot: `name.contains("x")`."""
    end: int
    """The place of its closing bracket; the text's end where there is none."""


def tokens(text: str) -> list[Token]:
    """Words and signs in their order, without spaces and comments."""
    return [
        Token(str(found.lastgroup), found[0], found.start())
        for found in _TOKEN.finditer(text)
        if found.lastgroup != "space"
    ]


def calls(found: list[Token], length: int) -> list[Call]:
    """Every `name(` of a text of `length` characters, with its arguments."""
    told = []
    for place, token in enumerate(found[:-1]):
        if token.kind == "name" and found[place + 1].text == "(":
            method = place > 0 and found[place - 1].text == "."
            parts, end = _inside(found, place + 1, length)
            alone = tuple(part[0] if len(part) == 1 else None for part in parts)
            told.append(Call(token.text, token.at, (None, *alone) if method else alone, method, end))
    return told


def _inside(found: list[Token], opening: int, length: int) -> tuple[list[list[Token]], int]:
    """(each argument's words and signs, place of the closing bracket) behind the bracket at `opening`."""
    depth, parts = 0, [list[Token]()]
    for token in found[opening:]:
        sign = token.text if token.kind == "sign" else ""
        depth -= sign in _SHUT
        if depth == 0 and sign in _SHUT:
            return (parts if parts != [[]] else []), token.at
        if depth == 1 and sign == ",":
            parts.append([])
        elif depth:
            parts[-1].append(token)
        depth += sign in _OPEN
    return parts, length


def too_much(text: str) -> tuple[str, int] | None:
    """Why an expression could cost too much, and where; None when it cannot."""
    if len(text) > MOST_CHARACTERS:
        return f"it has {len(text):,} characters, and may have {MOST_CHARACTERS:,}", MOST_CHARACTERS
    found = tokens(text)
    if len(found) > MOST_TOKENS:
        return f"it has {len(found):,} words and signs, and may have {MOST_TOKENS}", found[MOST_TOKENS].at
    if (deep := _too_deep(found)) is not None:
        return f"it is nested too deeply: {MOST_DEEP} brackets inside one another are the most", deep
    sums = [token.at for token in found if token.kind == "sign" and token.text == "+"]
    if len(sums) > MOST_SUMS:
        return f"it adds {len(sums)} times, and may {MOST_SUMS} times", sums[MOST_SUMS]
    return _walks_too_much(calls(found, len(text)), sums)


def _too_deep(found: list[Token]) -> int | None:
    """The place of the bracket that is one too many."""
    depth = 0
    for token in found:
        if token.kind == "sign":
            depth += token.text in _OPEN
            depth -= token.text in _SHUT
            if depth > MOST_DEEP:
                return token.at
    return None


def _walks_too_much(called: list[Call], sums: list[int]) -> tuple[str, int] | None:
    refused = next((one for one in called if one.method and one.name in REFUSED_MACROS), None)
    if refused is not None:
        return f"there is no {refused.name} here; there are {', '.join(sorted(MACROS))}", refused.at
    walks = [one for one in called if one.method and one.name in MACROS]
    if not walks:
        return None
    inner = next((one for one in walks for other in walks if other.at < one.at < other.end), None)
    if inner is not None:
        return f"{inner.name} stands inside another walk over a list", inner.at
    if len(walks) > MOST_MACROS:
        return f"it walks over lists {len(walks)} times, and may {MOST_MACROS} times", walks[MOST_MACROS].at
    others = [one for one in called if one not in walks]
    if len(others) > WALKED_CALLS:
        return f"beside a walk over a list it may call {WALKED_CALLS} functions", others[WALKED_CALLS].at
    if len(sums) > WALKED_SUMS:
        return f"beside a walk over a list it may add {WALKED_SUMS} times", sums[WALKED_SUMS]
    return None


def alike(text: str) -> str:
    """The expression with every whole number as a fraction, and CEL's own types of numbers left out."""
    found = tokens(text)
    parts, done = [], 0
    for place, token in enumerate(found):
        parts.append(text[done : token.at])
        parts.append(_as_fraction(found, place))
        done = token.at + len(token.text)
    return "".join((*parts, text[done:]))


def _as_fraction(found: list[Token], place: int) -> str:
    token = found[place]
    if token.kind == "hex":
        return f"{int(token.text.rstrip('uU'), 16)}.0"
    if token.kind == "whole":
        return token.text if _is_index(found, place) else f"{token.text.rstrip('uU')}.0"
    if token.kind == "name" and token.text in SAME and place + 1 < len(found) and found[place + 1].text == "(":
        return SAME[token.text]
    return token.text


def _is_index(found: list[Token], place: int) -> bool:
    """Whether a number stands alone between brackets behind a value."""
    if place < 2 or place + 1 >= len(found) or found[place - 1].text != "[" or found[place + 1].text != "]":
        return False
    before = found[place - 2]
    return before.kind == "name" or before.text in (")", "]")
