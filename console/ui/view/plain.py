"""Markdown as plain text: what a runbook says to a person, without any mark of it, wrapped to the page."""

from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from console.ui.view.wrapped import wrapped

if TYPE_CHECKING:
    from markdown_it.token import Token


class _Block(NamedTuple):
    head: str
    """What stands before its first line: the sign of a list's item, an indent."""
    text: str
    style: str


class PlainLine(NamedTuple):
    """One line of the text."""

    text: str
    style: str
    """`strong` for a heading, `accent` for code, empty for the rest."""


@lru_cache(maxsize=256)
def plain(text: str, width: int, bullet: str) -> tuple[PlainLine, ...]:
    """The lines of a Markdown text in `width` columns, each safe to show."""
    found: list[PlainLine] = []
    for block in _blocks(text, bullet):
        if found and not block.head and found[-1].text:
            found.append(PlainLine("", ""))
        room = max(10, width - len(block.head))
        for at, part in enumerate(wrapped(block.text, room)):
            head = block.head if at == 0 else " " * len(block.head)
            found.append(PlainLine(head + part, block.style))
    return tuple(found)


def _blocks(text: str, bullet: str) -> Iterator[_Block]:
    from markdown_it import MarkdownIt  # 80 ms: only who opens a run pays for it

    counters: list[int] = []
    head, style = "", ""
    for token in MarkdownIt("commonmark", {"html": False}).parse(text):
        if token.type == "ordered_list_open":
            counters.append(int(token.attrGet("start") or 1))
        elif token.type == "bullet_list_open":
            counters.append(0)
        elif token.type.endswith("_list_close"):
            counters.pop()
            head = ""
        elif token.type == "list_item_open":
            head = _item(counters, bullet)
        elif token.type in ("heading_open", "heading_close"):
            style = "strong" if token.type == "heading_open" else ""
        elif token.type == "inline":
            yield _Block(head, _words(token), style)
            head = " " * len(head) if counters else ""
        elif token.type in ("fence", "code_block"):
            yield _Block("  ", token.content.rstrip("\n"), "accent")


def _item(counters: list[int], bullet: str) -> str:
    """`• `, or the number of an ordered list's item."""
    indent = "  " * (len(counters) - 1)
    if not counters[-1]:
        return f"{indent}{bullet} "
    counters[-1] += 1
    return f"{indent}{counters[-1] - 1}. "


def _words(token: "Token") -> str:
    found, address = [], ""
    for child in token.children or ():
        if child.type in ("softbreak", "hardbreak"):
            found.append(" " if child.type == "softbreak" else "\n")
        elif child.type == "link_open":
            address = str(child.attrGet("href") or "")
        elif child.type == "link_close":
            found.append(f" ({address})" if address not in found else "")
        else:
            found.append(child.content)
    return "".join(found)
