"""What one span contributed to a stage, whole: its words, messages, documents and arguments, each beside its label."""

from collections.abc import Iterator

from console.domain.reconstruction import Piece, StageKind
from console.domain.spans import Document, Message
from console.ui import format as fmt
from console.ui.cells import Cell, fit
from console.ui.glyphs import Glyphs
from console.ui.view.wrapped import laid_out, wrapped

LABEL = 11
"""Columns of a label."""
PREVIEW = 300
"""Characters of a text that a single line may show."""

_TEXT_IS = {
    StageKind.INCOMING: "came in",
    StageKind.CONTEXT: "template",
    StageKind.RETRIEVAL: "searched",
    StageKind.MODEL_INPUT: "asked",
    StageKind.MODEL_RESPONSE: "answered",
    StageKind.TOOLS: "result",
    StageKind.RESULT: "went out",
}
_ROLE_STYLE = {"system": "accent", "user": "title", "assistant": "ok", "tool": "notice"}


def content(piece: Piece, kind: StageKind, width: int, glyphs: Glyphs) -> Iterator[tuple[Cell, ...]]:
    """Everything in a piece, line by line, each at most `width` columns wide; made as it is asked for."""
    said = False
    for part in (
        _facts(piece, width, glyphs),
        _missing(piece, width),
        *(_message(message, width, glyphs) for message in piece.messages),
        _labelled(_given(kind), laid_out(piece.arguments), width) if piece.arguments else (),
        _labelled(_TEXT_IS[kind], laid_out(piece.text), width) if piece.text else (),
        *(_document(place, document, width) for place, document in enumerate(piece.documents, 1)),
    ):
        for cells in part:
            said = True
            yield cells
    if not said:
        yield (Cell("nothing of its content was recorded", "stale"),)


def _labelled(
    label: str, text: str, width: int, style: str = "", label_style: str = "muted"
) -> Iterator[tuple[Cell, ...]]:
    head = Cell(fit(fmt.name(label, 40), LABEL - 1) + " ", label_style)
    beneath = Cell(" " * LABEL)
    for at, line in enumerate(wrapped(text, width - LABEL)):
        yield (head if at == 0 else beneath, Cell(line, style))


def _given(kind: StageKind) -> str:
    """What a piece's JSON is: what was put into a prompt's template, or what a tool was called with."""
    return "variables" if kind is StageKind.CONTEXT else "arguments"


def _facts(piece: Piece, width: int, glyphs: Glyphs) -> Iterator[tuple[Cell, ...]]:
    said = f" {glyphs.bullet} ".join(f"{fmt.name(name, 40)} {fmt.name(value, 400)}" for name, value in piece.facts)
    if said:
        yield from _labelled("facts", said, width, "accent")


def _missing(piece: Piece, width: int) -> Iterator[tuple[Cell, ...]]:
    if piece.missing:
        yield from _labelled("content", fmt.name(piece.missing, 400), width, "stale")


def _message(message: Message, width: int, glyphs: Glyphs) -> Iterator[tuple[Cell, ...]]:
    role = message.role or "message"
    style = _ROLE_STYLE.get(message.role, "muted")
    head = role
    if message.answers:
        yield from _labelled(head, f"answers call {fmt.name(message.answers, 60)}", width, "muted", style)
        head = ""
    if message.text:
        yield from _labelled(head, laid_out(message.text), width, label_style=style)
        head = ""
    for call in message.calls:
        name = f"calls {fmt.name(call.name, 60) or 'a tool'}" + (f" ({fmt.name(call.id, 40)})" if call.id else "")
        yield from _labelled(head, f"{glyphs.arrow} {name}", width, "notice", style)
        head = ""
        if call.arguments:
            yield from _labelled("", laid_out(call.arguments), width)
    if head:
        yield from _labelled(head, "(empty)", width, "muted", style)


def _document(place: int, document: Document, width: int) -> Iterator[tuple[Cell, ...]]:
    score = "" if document.score is None else f"  score {document.score:.3g}"
    snapshot = f"  of {fmt.name(document.snapshot, 40)}" if document.snapshot else ""
    name = fmt.name(document.id, 60) or "(no id)"
    yield from _labelled(f"document {place}", f"{name}{score}{snapshot}", width, "ok")
    if document.text:
        yield from _labelled("", document.text, width)


def preview(piece: Piece) -> str:
    """A piece in one line: what came last in it, where it has several messages."""
    if piece.text:
        return fmt.name(piece.text, PREVIEW)
    for message in reversed(piece.messages):
        if message.text:
            return fmt.name(f"{message.role}: {message.text[: 4 * PREVIEW]}", PREVIEW)
        if message.calls:
            return fmt.name("calls " + ", ".join(call.name for call in message.calls[:6]), PREVIEW)
    if piece.documents:
        names = ", ".join(document.id for document in piece.documents[:6])
        return fmt.name(f"{fmt.plural(len(piece.documents), 'document')}: {names}", PREVIEW)
    if piece.arguments:
        return fmt.name(piece.arguments[: 4 * PREVIEW], PREVIEW)
    return fmt.name(piece.missing, PREVIEW)
