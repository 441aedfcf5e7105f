"""One span in full: its error first, then its attributes as they were sent, then its events."""

from collections.abc import Iterator
from typing import Any

import msgspec

from console.domain.spans import Span
from console.ui import format as fmt
from console.ui.cells import Cell, Line, fit, width_of
from console.ui.glyphs import Glyphs
from console.ui.view.facts import fact, heading, labelled, words
from console.ui.view.trace import Axis

ATTRIBUTES = 300
"""Attributes of a span that are shown."""
LONGEST = 600
"""Characters of one attribute."""


def about(span: Span, axis: Axis, width: int, glyphs: Glyphs) -> list[Line]:
    """All that a span says of itself: its error first, then its attributes as they were sent, then its events."""
    title = f"{span.kind} {fmt.name(span.name, 60)}"
    after = f"{fmt.took(span.started_at - axis.start)} after the start"
    found = [heading(title, width, glyphs, after)]
    if span.error:
        found += labelled("error", fmt.name(span.error, LONGEST), width, "bad")
    for name in list(span.attributes)[:ATTRIBUTES]:
        found += _attribute(name, span.attributes[name], width)
    if len(span.attributes) > ATTRIBUTES:
        found += words(f"and {len(span.attributes) - ATTRIBUTES:,} attributes more", width, "muted")
    for event in span.events[:ATTRIBUTES]:
        at = f"{fmt.took(event.at - axis.start)}"
        said = "  ".join(f"{name}={_text(value)}" for name, value in list(event.attributes.items())[:ATTRIBUTES])
        found += labelled(at, f"{fmt.name(event.name, 60)}  {fmt.name(said, LONGEST)}".rstrip(), width, "notice")
    if not (span.error or span.attributes or span.events):
        found.append(fact("attributes", Cell("none were sent", "muted")))
    return [line._replace(key=None) for line in found]


def _attribute(name: str, value: Any, width: int) -> Iterator[Line]:
    label = fmt.name(name, 80)
    text = fmt.name(_text(value), LONGEST)
    if width_of(label) <= 28:
        head = Cell(f" {fit(label, 28)} ", "muted")
        room = max(10, width - 31)
        for at, line in enumerate(words(text, room, indent=0)):
            yield Line((head if at == 0 else Cell(" " * 30), *line.cells))
        return
    yield Line((Cell(f" {label}", "muted"),))
    yield from words(text, width, indent=4)


def _text(value: Any) -> str:
    """A JSON value in one line; what is longer than anybody reads is cut before it is written."""
    if isinstance(value, str):
        return value[: 8 * LONGEST]
    return msgspec.json.encode(value).decode()[: 8 * LONGEST]
