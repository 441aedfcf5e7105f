"""The Overview as lines: what is wrong and which key to press, the money beside it, and the mimic panel beneath."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from console.domain.alerts import Aspect
from console.domain.board import Board, StillBoard
from console.domain.freshness import Freshness
from console.domain.health import Finding, Level
from console.domain.incidents import Incident
from console.domain.readings import Deployment, Queue, Route, Source
from console.domain.refs import Ref
from console.domain.verbs import Verb
from console.ui import format as fmt
from console.ui.cells import LEVEL_STYLE, Cell, Line, fit, width_of
from console.ui.glyphs import Glyphs
from console.ui.lazy import Lazy, Steps, whole
from console.ui.targets import target_of
from console.ui.view import parts
from console.ui.view.facts import words as wrapped
from console.ui.view.hints import Hint, next_step
from console.ui.view.incidents import (
    LEVEL,
    about,
    advised,
    belonging_to_none,
    command_of,
    going_on,
    what,
    who,
)
from console.ui.view.judged import Judgements
from console.ui.view.kept import Kept
from console.ui.view.mimic import Layout, Part, Spot, apart, layout_in_steps
from console.ui.view.mimic_lines import Columns, Drawing
from console.ui.view.money import money
from console.ui.view.runbooks import best, best_of

WORST = 3
"""Incidents and findings on top."""
DOES = {
    Verb.TRIP: "trips it",
    Verb.RESET: "resets it",
    Verb.SWITCH: "switches",
    Verb.WEIGHT: "shifts it",
    Verb.PAUSE: "pauses it",
    Verb.RESUME: "resumes it",
}
"""What a key begins at once, in two words; other verbs are chosen from the incident's page."""
WIDE = 110
"""Columns from which on the money stands beside the findings."""
BESIDE = 46
"""Columns of the money when it stands beside."""


class Page(NamedTuple):
    """The Overview's three parts."""

    worst: list[Line]
    """A heading, then `WORST` lines."""
    money: list[Line]
    """With a heading when it stands beside."""
    heading: Line
    body: Lazy[Line]


@dataclass(slots=True)
class Overview:
    """Makes the page, and keeps the lines of the panel whose objects did not change."""

    glyphs: Glyphs
    _kept: Kept[Line] = field(default_factory=Kept)
    _laid: tuple[tuple[Board, Judgements, str], Layout] | None = None

    def lay(self, board: Board, judged: Judgements, words: str = "") -> Layout:
        """Which lines the panel has. Of a board that stands still it is kept, so that it can be made beforehand."""
        return whole(self.lay_in_steps(board, judged, words))

    def lay_in_steps(self, board: Board, judged: Judgements, words: str = "") -> Steps[Layout]:
        """The same in steps of a few milliseconds."""
        of = (board, judged, words)
        if self._laid is None or self._laid[0] != of or not isinstance(board, StillBoard):
            self._laid = (of, (yield from layout_in_steps(board, judged, words)))
        return self._laid[1]

    def page(
        self,
        board: Board,
        judged: Judgements,
        width: int,
        body: tuple[int, int],
        keys: Mapping[str, str],
        words: str = "",
        lost: str = "",
    ) -> Page:
        """The page for a screen of `width` columns.

        Args:
            board: the latest of everything.
            judged: what is to be thought of it.
            width: columns of the screen.
            body: columns and lines that the panel has for its body; where there is room, routes stand apart.
            keys: command name → its key as a person reads it.
            words: the filter; empty shows all.
            lost: why the engine cannot be reached; it stands in the place of what was wrong then.
        """
        wide = width >= WIDE
        side = money(board, judged, self.glyphs, wide=wide)
        if wide:
            side.insert(0, Line(parts.rule("Money and error budgets", BESIDE, self.glyphs)))
        heading, lines = self._body(board, judged, body, words)
        room = width - BESIDE - 1 if wide else width
        worst = _lost(lost, room, self.glyphs) if lost else self._worst(board, judged, room, keys)
        return Page(worst, side, heading, lines)

    def _body(self, board: Board, judged: Judgements, size: tuple[int, int], words: str) -> tuple[Line, Lazy[Line]]:
        found = apart(self.lay(board, judged, words), size[1])
        drawing = Drawing(board, judged, found, self.glyphs, Columns.of(size[0]))
        if not found.spots:
            return drawing.heading(), Lazy([None], lambda _: _nothing(board, words))
        spots = found.spots
        keys = [spot if spot.selectable else None for spot in spots]
        return drawing.heading(), Lazy(keys, lambda at: self._line(board, drawing, spots[at]))

    def _line(self, board: Board, drawing: Drawing, spot: Spot) -> Line:
        """The line of a spot, the same one as before when nothing that it shows has changed."""
        return self._kept.get(spot, self._stamp(board, drawing, spot), lambda: drawing.line(spot))

    def _stamp(self, board: Board, drawing: Drawing, spot: Spot) -> tuple[object, ...]:
        """Everything that a line depends on."""
        ref, route = spot.ref, spot.route
        if ref is None:
            return (drawing.columns.width, drawing.layout.folds.get(route) if route else None)
        return (
            drawing.columns.width,
            board.readings.get(ref),
            drawing.judged.of(ref),
            drawing.judged.apart(ref),
            board.freshness(ref),
            tuple(board.overrides_of(ref)) if board.overrides else (),
            (drawing.layout.targets.get((route, ref)), (route, ref) in drawing.layout.last) if route else None,
            drawing.moving.get(ref),
        )

    def _worst(self, board: Board, judged: Judgements, width: int, keys: Mapping[str, str]) -> list[Line]:
        """The incidents that go on, then what belongs to none of them."""
        incidents = going_on(board)
        found = belonging_to_none(board, judged.findings, incidents) if board.incidents else judged.findings
        if not found and not incidents:
            return [Line(parts.rule("What is wrong", width, self.glyphs)), *_calm(board, self.glyphs)]
        beyond = len(found) + len(incidents) - WORST
        more = f"and {beyond} more below" if beyond > 0 else ""
        lines = [Line(parts.rule(f"What is wrong: {_counts(incidents, found)}", width, self.glyphs, more))]
        lines += (self._incident(board, item, width, keys) for item in incidents[:WORST])
        lines += (self._finding(board, judged, item, width, keys) for item in found[: max(0, WORST - len(incidents))])
        return lines

    def _incident(self, board: Board, item: Incident, width: int, keys: Mapping[str, str]) -> Line:
        """How bad and of which kind, whom it blames, what it is, and the key that tells more or begins the way out."""
        level = LEVEL[item.severity]
        ref = about(board, item)
        command, words = _way_out(board, item, ref)
        key = keys.get(command, "")
        aspect = str(item.aspects[0] if item.aspects else Aspect.TRANSPORT)
        name = 16 if width < 90 else 24
        room = max(0, width - 15 - name - width_of(key) - width_of(words) - 5)
        cells = (
            Cell(" "),
            *parts.padded(f"{self.glyphs.level[level]} {aspect}", 13, LEVEL_STYLE[level]),
            Cell(" "),
            Cell(fit(who(board, item, name), name), "strong"),
            Cell(" "),
            Cell(fit(what(item), room)),
            Cell(f"  {key}", "key"),
            Cell(f" {words}", "muted"),
        )
        return Line(cells, key=Spot(Part.INCIDENT, ref, text=item.id))

    def _finding(self, board: Board, judged: Judgements, item: Finding, width: int, keys: Mapping[str, str]) -> Line:
        fits = best_of(board, item.ref) is not None
        hint = Hint("runbook", "runbook") if fits else next_step(board, judged, item)
        style = LEVEL_STYLE[item.health.level]
        key = keys.get(hint.command, "")
        name = 16 if width < 90 else 24
        room = max(0, width - 15 - name - width_of(key) - width_of(hint.words) - 5)
        cells = (
            Cell(" "),
            *parts.padded(parts.state_text(item.health, self.glyphs), 13, style),
            Cell(" "),
            Cell(fit(parts.label(board, item.ref), name), "strong"),
            Cell(" "),
            Cell(fit(fmt.name(item.health.why, 200), room)),
            Cell(f"  {key}", "key"),
            Cell(f" {hint.words}", "muted"),
        )
        dim = board.freshness(item.ref) is not Freshness.FRESH and item.health.level is not Level.STALE
        return Line(cells, key=Spot(Part.WORST, item.ref), dim=dim)


def _way_out(board: Board, item: Incident, ref: Ref | None) -> tuple[str, str]:
    """A runbook that fits, the command that helps at once where its key works on this line, otherwise the page."""
    if best(board, item) is not None:
        return "runbook", "runbook"
    found = advised(item)
    if found is not None and found.verb in DOES and target_of(board, ref, found.verb).ref == found.target:
        return command_of(found.verb), DOES[found.verb]
    return "drill", "what to do"


def _counts(incidents: Sequence[Incident], found: Sequence[Finding]) -> str:
    counts = Counter(item.health.level for item in found)
    told = fmt.plural(len(incidents), "incident") if incidents else ""
    names = ((Level.BAD, "bad"), (Level.STALE, "stale"), (Level.WARN, "to watch"), (Level.NOTICE, "by hand"))
    return ", ".join(filter(None, [told, *(f"{counts[level]} {name}" for level, name in names if counts[level])]))


def _lost(why: str, width: int, glyphs: Glyphs) -> list[Line]:
    """Why nothing is live, and the way out, in as many lines as there are."""
    said = [line._replace(key=None) for line in wrapped(fmt.name(why, 400), width, "bad")]
    head = Line(parts.rule("The engine is lost: what stands below is the past", width, glyphs))
    return [head, *said[:WORST]]


def _calm(board: Board, glyphs: Glyphs) -> list[Line]:
    kinds = (Route, Deployment, Queue, Source)
    routes, deployments, queues, sources = (sum(1 for _ in board.of(kind)) for kind in kinds)
    if not sources:
        return _starting(board)
    if not deployments and not routes and not queues:
        return [Line((Cell(" the sources answer, and have shown no route and no deployment yet", "muted"),))]
    found = ((routes, "route"), (deployments, "deployment"), (queues, "queue"))
    counted = [fmt.plural(count, noun) for count, noun in found if count]
    words = f"{', '.join(counted)} and {fmt.plural(sources, 'source')}, all as they should be"
    head = (Cell(f" {glyphs.level[Level.OK]} ok", "ok"), Cell(f"  {words}"))
    return [Line(head), Line((Cell("   Enter on a line tells more; ? lists the keys that work on it", "muted"),))]


def _starting(board: Board) -> list[Line]:
    if not board.seq:
        return [Line((Cell(" waiting for the engine's first words", "muted"),))]
    return [
        Line((Cell(" no source has been seen yet"),)),
        Line((Cell(" `switchgear check` says what each source answers", "muted"),)),
        Line((Cell(" `switchgear init` writes a config for the backends that you have", "muted"),)),
    ]


def _nothing(board: Board, words: str) -> Line:
    if words:
        return Line((Cell(f" nothing here is called {fmt.name(words, 40)!r}; Esc shows all", "muted"),))
    said = " no route yet: what a source shows will be drawn here" if board.seq else ""
    return Line((Cell(said, "muted"),))
