"""The Log screen as rows: the timeline of what happened, and the audit log of what was done."""

from collections.abc import Iterable, Sequence
from functools import partial

from console.domain.actions import Outcome
from console.domain.board import Board
from console.domain.refs import Ref
from console.domain.wire import AuditRow, LogEntry, LogKind
from console.ui import format as fmt
from console.ui.cells import Cell, Column, Row
from console.ui.glyphs import Glyphs
from console.ui.view.kept import Kept

COLUMNS = (
    Column("at", "when", 8, keep=1),
    Column("kind", "what", 8, keep=3),
    Column("object", "object", 18, keep=4),
    Column("who", "who", 10, keep=5),
    Column("words", "what happened", 44, flex=True, keep=1),
    Column("outcome", "outcome", 12, keep=2),
)
AUDIT_COLUMNS = (
    Column("seq", "row", 6, right=True, keep=2),
    Column("at", "when", 8, keep=1),
    Column("who", "who", 10, keep=2),
    Column("event", "event", 12, keep=1),
    Column("action", "action", 14, keep=4),
    Column("body", "what was written", 30, flex=True, keep=1),
    Column("hash", "hash", 10, keep=5),
)

EMPTY = "Nothing has happened yet: actions, alerts and lost sources will stand here."
AUDIT_EMPTY = "Nothing was ever confirmed here: the audit log is empty."

_KIND_STYLE = {
    LogKind.ACTION: "strong",
    LogKind.OVERRIDE: "notice",
    LogKind.ALERT: "warn",
    LogKind.SOURCE: "stale",
    LogKind.ACCESS: "accent",
    LogKind.ENGINE: "muted",
    LogKind.RUNBOOK: "accent",
}
OUTCOME_STYLE = {
    Outcome.PENDING: "notice",
    Outcome.APPLIED: "notice",
    Outcome.CONVERGING: "notice",
    Outcome.VERIFIED: "ok",
    Outcome.UNVERIFIED: "warn",
    Outcome.FAILED: "bad",
    Outcome.STOPPED: "warn",
    Outcome.UNKNOWN: "warn",
    Outcome.REVERTED: "notice",
}
"""The style in which an outcome is written."""


def merged(recent: Iterable[LogEntry], older: Iterable[LogEntry]) -> list[LogEntry]:
    """The board's latest lines and pages fetched before, the newest first, each once."""
    entries = {entry.id: entry for entry in (*older, *recent)}
    return sorted(entries.values(), key=lambda entry: -entry.id)


def rows(entries: Iterable[LogEntry], glyphs: Glyphs, kept: Kept[Row] | None = None) -> Sequence[Row]:
    """One row a line of the timeline; those of before are taken from `kept`."""
    made: Kept[Row] = Kept() if kept is None else kept
    return [made.get(entry.id, entry, partial(_row, entry, glyphs)) for entry in entries]


def _row(entry: LogEntry, glyphs: Glyphs) -> Row:
    cells = (
        Cell(fmt.clock(entry.at), "muted", entry.at),
        Cell(str(entry.kind), _KIND_STYLE[entry.kind]),
        Cell(fmt.name(entry.ref.name, 40) if entry.ref else ""),
        Cell(fmt.name(entry.operator, 24)),
        Cell(fmt.name(entry.words, 300)),
        outcome(entry.outcome, glyphs),
    )
    return Row(entry.id, cells)


def outcome(word: str, glyphs: Glyphs) -> Cell:
    """Glyph and word of an outcome; text that is none stays text."""
    try:
        known = Outcome(word)
    except ValueError:
        return Cell(fmt.name(word, 24))
    return Cell(f"{glyphs.outcome[known]} {known}", OUTCOME_STYLE[known])


def audit_rows(page: Iterable[AuditRow]) -> Sequence[Row]:
    """One row a row of the audit log, as it was hashed."""
    return [
        Row(
            item.seq,
            (
                Cell(str(item.seq), "muted", float(item.seq)),
                Cell(fmt.clock(item.at), "muted", item.at),
                Cell(fmt.name(item.operator, 24)),
                Cell(fmt.name(item.event, 24), "strong"),
                Cell(fmt.name(item.action_id, 40), "muted"),
                Cell(fmt.name(item.body, 400)),
                Cell(fmt.name(item.hash, 64)[:10], "muted"),
            ),
        )
        for item in page
    ]


def object_entries(board: Board, ref: Ref, limit: int) -> list[LogEntry]:
    """The latest lines about one object, the newest first."""
    return [entry for entry in reversed(board.log) if entry.ref == ref][:limit]
