"""The runs file and the audit log say the same of a run, wherever between the two an engine was killed.

The audit log leads. An order has its row before the run hears of it: one that the run never heard is said not to be
taken, and nothing came of it. A change of state is on disk with the run first, as a numbered line that is owed to the
audit log; lines that are not there are written by the next engine, each once, by its number. What was done at a
backend is not judged here: that is looked up by its key (`runbooks.session.Lookup`).
"""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from msgspec.structs import replace

from console.control.audit import AuditError
from console.domain.runbooks import Run, RunCommand
from console.domain.text import clean
from console.domain.wire import AuditRow
from runbooks.hands import Writing
from runbooks.session import Line, Session

EVENT = "runbook"
BEGUN = "begun"
"""The order with which a run begins."""
LATELY = 2000
"""A run that was not begun has its row among so many last ones: the engine that wrote it ended then."""
NOT_TAKEN = "the engine ended, or could not write, before the run heard it: nothing came of it"


def changes(old: Run, new: Run) -> tuple[Line, ...]:
    """Every change of a state, in words."""
    found = [
        Line(state=str(after.state), words=f"step {after.id} {_said(after.state, after.words)}")
        for before, after in zip(old.steps, new.steps, strict=True)
        if before.state is not after.state
    ]
    if old.state is not new.state:
        found.append(Line(state=str(new.state), words=_said(new.state, new.words)))
    return tuple(found)


def owing(session: Session, lines: tuple[Line, ...]) -> Session:
    """The session with further lines that the audit log has yet to hold."""
    return replace(session, lines=session.lines + len(lines), owed=(*session.owed, *lines)) if lines else session


class Agreeing:
    """Writes what runs do into the audit log, and finds what is missing in it."""

    def __init__(self, audit: Writing) -> None:
        self._audit = audit

    async def begun(self, run: Run, who: str) -> int:
        """The row of a run that is about to begin; its number.

        Raises:
            AuditError: it could not be written; the run must not begin.
        """
        body = {"order": BEGUN, "runbook": run.runbook, "hash": run.hash, "parameters": run.parameters, "dry": run.dry}
        return (await self._audit.append(EVENT, run.id, who, body)).seq

    async def ordered(self, run: Run, command: RunCommand, who: str) -> int:
        """The row of an order that a run is about to hear; its number.

        Raises:
            AuditError: it could not be written; the run must not hear it.
        """
        body = {"order": command.order, "step": run.current, "reason": command.reason}
        return (await self._audit.append(EVENT, run.id, who, body)).seq

    async def not_taken(self, run_id: str, order: str, seq: int, who: str) -> None:
        """Write down that nothing came of the order in row `seq`; what cannot be written the next engine finds."""
        try:
            await self._audit.append(EVENT, run_id, who, _not_taken(order, seq))
        except AuditError:
            return

    async def write(self, session: Session) -> tuple[Session, str]:
        """Write what is owed. The session without it, and why some of it is owed still (empty: nothing is)."""
        run, first = session.run, session.lines - len(session.owed)
        for number, line in enumerate(session.owed):
            body = {"state": line.state, "words": line.words, "line": first + number}
            try:
                await self._audit.append(EVENT, run.id, run.holder, body)
            except AuditError as error:
                return replace(session, owed=session.owed[number:]), f"not in the audit log: {error}"
        return replace(session, owed=()), ""

    async def agree(self, session: Session) -> tuple[Session, tuple[str, ...]]:
        """What an engine before has left between its two rows. The session that owes nothing, and what is to be said.

        Raises:
            AuditError: the log cannot be read.
        """
        found = await self._audit.rows("action_id = ? and event = ?", (session.run.id, EVENT))
        rows = [(row, _body(row)) for row in found]
        there = {body.get("line") for _, body in rows}
        first = session.lines - len(session.owed)
        owed = tuple(line for number, line in enumerate(session.owed) if first + number not in there)
        session, trouble = await self.write(replace(session, owed=owed))
        said = [trouble] if trouble else []
        for row, order in _unheard(session, rows):
            await self.not_taken(row.action_id, order, row.seq, row.operator)
            said.append(f"{clean(row.operator)}: {clean(order, 20)} was not taken: {NOT_TAKEN}; say it again")
        return session, tuple(said)

    async def never_begun(self) -> tuple[AuditRow, ...]:
        """Rows of runs that were to begin lately and of which the log has nothing else.

        Raises:
            AuditError: the log cannot be read.
        """
        where = "event = ? and seq > (select coalesce(max(seq), 0) - ? from audit)"
        rows = await self._audit.rows(where, (EVENT, LATELY))
        alone = {row.action_id: row for row in rows if _body(row).get("order") == BEGUN}
        for row in rows:
            if _body(row).get("order") != BEGUN or "of" in _body(row):
                alone.pop(row.action_id, None)
        return tuple(alone.values())


def _unheard(session: Session, rows: Iterable[tuple[AuditRow, Mapping[str, Any]]]) -> list[tuple[AuditRow, str]]:
    """Orders later than the last one that the run has heard, and not said to be lost yet; with the order's name."""
    rows = list(rows)
    if session.heard is None:
        return []
    answered = {body["of"] for _, body in rows if "of" in body}
    return [
        (row, str(body["order"]))
        for row, body in rows
        if "order" in body and "of" not in body and row.seq > session.heard and row.seq not in answered
    ]


def _not_taken(order: str, seq: int) -> dict[str, Any]:
    return {"order": order, "of": seq, "state": "not taken", "words": NOT_TAKEN}


def _body(row: AuditRow) -> Mapping[str, Any]:
    try:
        found = msgspec.json.decode(row.body)
    except msgspec.DecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def _said(state: str, words: str) -> str:
    name = state.replace("_", " ")
    return f"{name}: {words}" if words else name
