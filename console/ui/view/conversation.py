"""A conversation as rows, one a request: which knowledge each answered from, and where its services disagree."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice

import msgspec

from console.domain.conversations import Conversation, Divergence, DivergenceKind, Turn
from console.domain.health import Level
from console.ui import format as fmt
from console.ui.cells import LEVEL_STYLE, Cell, Column, Line, Row
from console.ui.glyphs import Glyphs
from console.ui.view import parts, requests
from console.ui.view.facts import heading, labelled
from console.ui.view.wrapped import wrapped

COLUMNS = (
    Column("at", "time", 8, keep=1),
    Column("state", "state", 10, keep=1),
    Column("request", "request", 14, keep=3),
    Column("services", "services", 13, keep=4),
    Column("snapshots", "snapshots", 20, flex=True, keep=1),
    Column("prompts", "prompts", 12, keep=5),
    Column("memory", "memory", 18, keep=2),
)
_KIND = {DivergenceKind.SNAPSHOTS: "two snapshots"}
MOST = 3
"""Divergences that are told on top."""


def head(found: Conversation, width: int, glyphs: Glyphs) -> list[Line]:
    """What conversation it is, and what is wrong with it, in words."""
    lines = list(_title(found))
    for divergence in found.divergences[:MOST]:
        lines += _told(divergence, width, glyphs)
    if len(found.divergences) > MOST:
        lines.append(Line((Cell(f"   and {len(found.divergences) - MOST} divergences more, marked below", "bad"),)))
    if not found.divergences:
        sign = Cell(f" {glyphs.level[Level.OK]} no divergence", "ok")
        lines.append(Line((sign, Cell(" in what was recorded of snapshots and memory", "muted"))))
    for note in found.notes[:2]:
        lines += [Line((Cell(f"   {part}", "muted"),)) for part in wrapped(fmt.name(note, 300), width - 4)][:1]
    return lines


def _title(found: Conversation) -> Iterator[Line]:
    services = list(dict.fromkeys(name for turn in found.turns for name in turn.services))
    cells = [
        Cell(f" conversation {fmt.name(found.conversation, 60)}", "strong"),
        Cell(f"  {fmt.plural(len(found.turns), 'request')}"),
    ]
    if found.turns:
        first, last = found.turns[0].request.started_at, found.turns[-1].request.started_at
        cells.append(Cell(f"  {fmt.clock(first)} to {fmt.clock(last)}", "muted"))
    if services:
        cells.append(Cell(f"  {', '.join(fmt.name(name, 24) for name in services[:6])}", "muted"))
    yield Line(tuple(cells))
    if found.cut:
        yield Line((Cell(f"   {found.cut:,} older requests are not shown", "warn"),))


def _told(divergence: Divergence, width: int, glyphs: Glyphs) -> Iterator[Line]:
    sign = f" {glyphs.level[Level.BAD]} {_KIND.get(divergence.kind, str(divergence.kind))}: "
    for at, part in enumerate(islice(wrapped(_words(divergence), width - len(sign) - 1), 3)):
        yield Line((Cell(sign if at == 0 else " " * len(sign), "bad"), Cell(part, "strong")))


def _words(divergence: Divergence) -> str:
    """What differs, without the conversation's name: the page has it already."""
    said = divergence.words.removeprefix(f"conversation {divergence.conversation}: ")
    return fmt.name(said, 600) or fmt.name(f"{divergence.about}: {', '.join(divergence.versions)}", 400)


def rows(found: Conversation, glyphs: Glyphs) -> list[Row]:
    """One row a request, oldest first; what is another version than in the request before stands out."""
    wrong = by_request(found.divergences)
    before: Turn | None = None
    made = []
    for turn in map(_only_versions(found), found.turns):
        made.append(_row(turn, before, wrong.get(turn.request.trace_id, ()), glyphs))
        before = turn
    return made


def _only_versions(found: Conversation) -> Callable[[Turn], Turn]:
    """Leaves out of a turn's columns what is the same in the whole conversation: its one source, its one memory."""
    sources = {text.rpartition("@")[0].rpartition(": ")[2] for turn in found.turns for text in turn.snapshots}
    keys = {text.rpartition("@")[0].partition(" ")[2] for turn in found.turns for text in turn.memory}
    source = f"{sources.pop()}@" if len(sources) == 1 else ""
    key = f" {keys.pop()}@" if len(keys) == 1 else ""

    def shortened(turn: Turn) -> Turn:
        return msgspec.structs.replace(
            turn,
            snapshots=tuple(text.replace(source, "", 1) for text in turn.snapshots) if source else turn.snapshots,
            memory=tuple(text.replace(key, " @", 1) for text in turn.memory) if key else turn.memory,
        )

    return shortened


def by_request(divergences: Sequence[Divergence]) -> Mapping[str, list[Divergence]]:
    """The divergences by the trace id of the request in which they show first."""
    found: dict[str, list[Divergence]] = defaultdict(list)
    for divergence in divergences:
        found[divergence.first.trace_id].append(divergence)
    return found


def _row(turn: Turn, before: Turn | None, wrong: Sequence[Divergence], glyphs: Glyphs) -> Row:
    kinds = {item.kind for item in wrong}
    differs = bool(kinds) or bool(turn.first_difference)
    split = DivergenceKind.SNAPSHOTS in kinds
    memory = bool(kinds - {DivergenceKind.SNAPSHOTS})
    state = Cell(f"{glyphs.level[Level.BAD]} differs", LEVEL_STYLE[Level.BAD]) if differs else None
    request = turn.request
    cells = (
        Cell(fmt.clock(request.started_at), "muted", request.started_at),
        state or parts.state(requests.health(request), glyphs),
        Cell(requests.what(request, glyphs), "strong"),
        Cell(_list(turn.services), "muted"),
        _versions(turn.snapshots, before.snapshots if before else None, split, glyphs),
        _versions(turn.prompts, before.prompts if before else None, False, glyphs),
        _versions(turn.memory, None, memory, glyphs),
    )
    return Row(request.ref, cells)


def _versions(now: tuple[str, ...], before: tuple[str, ...] | None, wrong: bool, glyphs: Glyphs) -> Cell:
    text = _list(now)
    if wrong:
        return Cell(f"{glyphs.differs} {text}", "bad", text)
    moved = bool(before) and bool(now) and now != before
    return Cell(text, "notice" if moved else "", text)


def _list(items: Sequence[str]) -> str:
    return ", ".join(fmt.name(item, 60) for item in items[:12]) or fmt.NONE


def about(found: Conversation, turn: Turn, width: int, glyphs: Glyphs) -> list[Line]:
    """One request of the conversation with all that its columns had no room for."""
    request = turn.request
    wrong = by_request(found.divergences).get(request.trace_id, ())
    right = "Enter shows where it differs" if turn.first_difference else "Enter opens it"
    lines = [heading(f"{fmt.clock(request.started_at)} {requests.what(request, glyphs)}", width, glyphs, right)]
    for divergence in wrong:
        kind = _KIND.get(divergence.kind, str(divergence.kind))
        lines += labelled(kind, _words(divergence), width, "bad")
    if request.failed:
        lines += labelled("failed", fmt.name(request.error, 400) or "it does not say why", width, "bad")
    for label, items in (
        ("services", turn.services),
        ("snapshots", turn.snapshots),
        ("prompts", turn.prompts),
        ("memory", turn.memory),
    ):
        said = ", ".join(fmt.name(item, 120) for item in items[:50])
        lines += labelled(label, said or "nothing was recorded", width, "" if said else "stale")
    return [line._replace(key=None) for line in lines]
