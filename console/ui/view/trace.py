"""One request as lines: what it was, its spans as a tree on a time axis, and all that one span says of itself."""

import math
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from console.domain.board import Board
from console.domain.health import Level
from console.domain.readings import Request
from console.domain.reconstruction import Critical, Reconstruction
from console.domain.refs import Ref
from console.domain.spans import Span, SpanKind, Trace
from console.ui import format as fmt
from console.ui.cells import LEVEL_STYLE, Cell, Line, fit, width_of
from console.ui.glyphs import Glyphs
from console.ui.lazy import Lazy
from console.ui.view import parts, requests
from console.ui.view.facts import words
from console.ui.view.tree import Node, nodes

DEEPEST = 12
"""Levels that are indented; deeper ones stand beneath each other."""
_KIND_STYLE = {
    SpanKind.REQUEST: "title",
    SpanKind.MODEL: "accent",
    SpanKind.EMBEDDING: "accent",
    SpanKind.RETRIEVAL: "ok",
    SpanKind.TOOL: "notice",
    SpanKind.QUEUE: "flow",
}
_KIND, _TOOK = 10, 7


class Axis(NamedTuple):
    """The time that a request took."""

    start: float
    """Unix seconds of its first moment."""
    length_s: float
    """Up to the last moment that is known; more than 0."""

    @classmethod
    def of(cls, spans: Sequence[Span]) -> "Axis":
        """The axis on which all of them have room."""
        starts = [span.started_at for span in spans if math.isfinite(span.started_at)]
        start = min(starts, default=0.0)
        ends = (span.started_at + max(0.0, span.duration_s or 0.0) for span in spans)
        end = max((at for at in ends if math.isfinite(at)), default=start)
        return cls(start, max(end - start, 1e-6))

    def bar(self, span: Span, width: int, glyphs: Glyphs) -> tuple[str, str]:
        """What stands before a span's bar, and the bar: at least one column, light when the span has not ended."""
        begin = self._column(span.started_at, width)
        if span.duration_s is None:
            return " " * begin, glyphs.empty * (width - begin)
        end = self._column(span.started_at + max(0.0, span.duration_s), width, up=True)
        return " " * begin, glyphs.full * max(1, min(width, end) - begin)

    def parts(self, span: Span, path: Sequence[Critical], width: int, glyphs: Glyphs) -> Iterator[tuple[str, bool]]:
        """A span's bar in pieces, each with whether the critical path went through the span itself there."""
        before, bar = self.bar(span, width, glyphs)
        first = len(before)
        on = [False] * len(bar)
        for part in path:
            begin = self._column(part.at, width) - first
            end = self._column(part.at + part.own_s, width, up=True) - first
            for column in range(max(0, begin), min(len(on), max(end, begin + 1))):
                on[column] = True
        for through, columns in groupby(range(len(on)), lambda column: on[column]):
            length = sum(1 for _ in columns)
            yield (bar[:1] if through or span.duration_s is None else glyphs.beside) * length, through

    def _column(self, at: float, width: int, *, up: bool = False) -> int:
        part = (at - self.start) / self.length_s * width if math.isfinite(at) else 0.0
        column = math.ceil(part - 1e-9) if up else math.floor(part)
        return max(0, min(width if up else width - 1, column))


class Tree(NamedTuple):
    """The spans' lines; `spans` has the span of each line's key."""

    heading: Line
    lines: Lazy[Line]
    spans: dict[int, Span]
    axis: Axis


def tree(trace: Trace, width: int, glyphs: Glyphs, critical: Sequence[Critical] = ()) -> Tree:
    """The span tree; a line is made when it is looked at. Under a span that failed stands why, in words.

    Args:
        trace: the request.
        width: columns of a line.
        glyphs: the signs that this terminal can show.
        critical: the critical path; its spans are marked, and their bars are full only where it went through them.
    """
    found = nodes(trace.spans)
    axis = Axis.of(trace.spans)
    path: dict[str, list[Critical]] | None = {} if critical else None
    for part in critical:
        path.setdefault(part.span_id, []).append(part)  # type: ignore[union-attr]
    columns = _Columns.of(width)
    places: list[tuple[int, bool]] = []
    for at, node in enumerate(found):
        places.append((at, False))
        if node.span.failed and node.span.error:
            places.append((at, True))

    def line(place: int) -> Line:
        at, why = places[place]
        if why:
            return _why(found[at], columns, glyphs)
        through = None if path is None else path.get(found[at].span.span_id, [])
        return _span(at, found[at], axis, columns, glyphs, through)

    keys = [None if why else at for at, why in places]
    spans = {at: node.span for at, node in enumerate(found)}
    return Tree(_heading(axis, columns, glyphs, path=path is not None), Lazy(keys, line), spans, axis)


class _Columns(NamedTuple):
    name: int
    service: int
    bar: int

    @classmethod
    def of(cls, width: int) -> "_Columns":
        service = 10 if width < 100 else 16
        room = max(20, width - 3 - _KIND - service - _TOOK - 4)
        bar = max(8, min(60, room * 2 // 5))
        return cls(room - bar, service, bar)


def _heading(axis: Axis, columns: _Columns, glyphs: Glyphs, *, path: bool) -> Line:
    whole = fmt.took(axis.length_s)
    ruler = f"0 {glyphs.line * max(0, columns.bar - 3 - width_of(whole))} {whole}"
    cells = (
        Cell(fit("", 3)),
        Cell(fit(f"span  {glyphs.critical} critical path" if path else "span", columns.name + _KIND), "title"),
        Cell(fit(" service", columns.service + 1), "title"),
        Cell(fit("took", _TOOK, right=True), "title"),
        Cell("  "),
        Cell(fit(ruler, columns.bar), "muted"),
    )
    return Line(cells)


def _span(
    at: int, node: Node, axis: Axis, columns: _Columns, glyphs: Glyphs, through: Sequence[Critical] | None
) -> Line:
    span = node.span
    before, bar = axis.bar(span, columns.bar, glyphs)
    parts = [(bar, True)] if through is None else axis.parts(span, through, columns.bar, glyphs)
    indent = "  " * min(node.depth, DEEPEST)
    name = fmt.name(span.name, 120) or "(no name)"
    mark = " (its parent has not arrived)" if node.orphan else ""
    style = "bad" if span.failed else _KIND_STYLE.get(span.kind, "")
    room = columns.name + _KIND - width_of(indent) - _KIND
    cells = (
        Cell(glyphs.critical, "notice") if through else Cell(" "),
        Cell(f"{glyphs.level[Level.BAD]} ", "bad") if span.failed else Cell("  "),
        Cell(indent),
        Cell(fit(str(span.kind), _KIND), "muted"),
        Cell(fit(name + mark, max(1, room)), style or "strong"),
        Cell(" " + fit(fmt.name(span.service, 40), columns.service), "muted"),
        Cell(fit("runs" if span.duration_s is None else fmt.took(span.duration_s), _TOOK, right=True)),
        Cell("  " + before),
        *(Cell(part, (style or "flow") if on else "muted") for part, on in parts),
    )
    return Line(cells, key=at)


def _why(node: Node, columns: _Columns, glyphs: Glyphs) -> Line:
    indent = "  " * min(node.depth, DEEPEST)
    room = columns.name + _KIND + columns.service + _TOOK + columns.bar + 3 - width_of(indent) - 2
    return Line(
        (
            Cell(f"   {indent}{glyphs.last} ", "muted"),
            Cell(fit(fmt.name(node.span.error, 400), max(10, room)).rstrip(), "bad"),
        )
    )


def summary(
    board: Board, ref: Ref, request: Request | None, whole: Reconstruction | None, width: int, glyphs: Glyphs
) -> list[Line]:
    """What the request was, in two or three lines; where its time went, and notes of the source beneath."""
    found = list(_head(board, ref, request, glyphs))
    if request is not None and request.error:
        found += list(words(fmt.name(request.error, 300), width, "bad", indent=3))[:2]
    if whole is None:
        return found
    if whole.critical:
        found.append(Line((Cell("   the time went into ", "muted"), Cell(_went(whole, width - 23)))))
    for note in dict.fromkeys((*whole.trace.notes, *whole.notes)):
        found += list(words(fmt.name(note, 300), width, "muted", indent=3))[:1]
    if whole.trace.cut:
        found += words(f"{whole.trace.cut:,} spans more are not shown: there are too many", width, "warn", indent=3)
    return found


def _went(whole: Reconstruction, width: int) -> str:
    """The spans that the critical path spent most time in, by name; as many as have room."""
    names = {span.span_id: span.name for span in whole.trace.spans}
    spent: dict[str, float] = {}
    for part in whole.critical:
        name = fmt.name(names.get(part.span_id, ""), 40) or "(no span tells)"
        spent[name] = spent.get(name, 0.0) + part.own_s
    total = sum(spent.values())
    said = ""
    for name, own_s in sorted(spent.items(), key=lambda item: -item[1])[:6]:
        share = f" {fmt.ratio(own_s / total)}" if total > 0 else ""
        more = f"{', ' if said else ''}{name} {fmt.took(own_s)}{share}"
        if said and width_of(said + more) > width:
            break
        said += more
    return fit(said, width).rstrip()


def _head(board: Board, ref: Ref, request: Request | None, glyphs: Glyphs) -> Iterator[Line]:
    if request is None:
        yield Line((Cell(f" request {fmt.name(ref.name, 40)}", "strong"), Cell("  its root has not arrived", "stale")))
        return
    health = requests.health(request)
    yield Line(
        (
            Cell(f" {parts.state_text(health, glyphs)}", LEVEL_STYLE[health.level]),
            Cell(f"  {requests.what(request, glyphs)}", "strong"),
            Cell(f"  {fmt.name(request.service, 40)}"),
            Cell(f"  {fmt.moment(request.started_at, board.at)[:-5]}{fmt.clock(request.started_at)}", "muted"),
            Cell(f"  took {fmt.took(request.duration_s)}"),
        )
    )
    yield Line((Cell("   "), Cell("  ".join(_figures(request, glyphs)), "muted")))


def _figures(request: Request, glyphs: Glyphs) -> Iterator[str]:
    if request.ttft_s is not None:
        yield f"first token {fmt.took(request.ttft_s)}"
    if request.attempts is not None:
        yield fmt.plural(request.attempts, "attempt")
    if request.tokens_in is not None or request.tokens_out is not None:
        yield f"{requests.tokens(request)} tokens"
    if request.usd is not None:
        yield fmt.usd(request.usd)
    if request.model:
        yield f"{fmt.name(request.model, 40)} {glyphs.arrow} {fmt.name(request.deployment, 40) or '?'}"
    if request.conversation:
        yield f"conversation {fmt.name(request.conversation, 40)}"
