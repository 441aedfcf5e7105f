"""Incidents as the screens see them: which go on, the worst first, whom each blames, and what belongs to none."""

from collections.abc import Iterable, Sequence

from console.domain.alerts import Alert, AlertState, Severity
from console.domain.board import Board
from console.domain.health import Finding, Level
from console.domain.incidents import Advice, Incident
from console.domain.refs import Ref
from console.domain.verbs import Verb
from console.ui import format as fmt
from console.ui.cells import width_of
from console.ui.view.parts import label

LEVEL = {Severity.PAGE: Level.BAD, Severity.TICKET: Level.WARN, Severity.NOTICE: Level.NOTICE}
"""How bad an incident is, as the state column has it."""

COMMANDS = {
    Verb.RESTORE: "undo",
    Verb.PAUSE: "hold",
    Verb.RESUME: "hold",
    **dict.fromkeys((Verb.FINISH, Verb.PARK, Verb.ISOLATE, Verb.REQUEUE, Verb.REPLAY), "backlog"),
}
"""Verbs whose key is another command's."""


def command_of(verb: Verb) -> str:
    """The command whose key asks for a verb."""
    return COMMANDS.get(verb, str(verb))


def alerts_of(board: Board, incident: Incident) -> list[Alert]:
    """Its alerts that are on the board, the first one first."""
    found = (board.alerts.get(name) for name in incident.alerts)
    return sorted((alert for alert in found if alert is not None), key=lambda alert: alert.since)


def is_new(board: Board, incident: Incident) -> bool:
    """Whether one of its alerts waits to be acknowledged."""
    return any(not alert.acknowledged_by for alert in firing_of(board, incident))


def is_silent(board: Board, incident: Incident) -> bool:
    """Whether somebody has silenced all of it."""
    firing = firing_of(board, incident)
    return bool(firing) and all((alert.silenced_until or 0.0) > board.at for alert in firing)


def firing_of(board: Board, incident: Incident) -> list[Alert]:
    """Its alerts that are firing, the first one first."""
    return [alert for alert in alerts_of(board, incident) if alert.state is AlertState.FIRING]


def going_on(board: Board) -> list[Incident]:
    """Those that are not over and not silenced: the worst first, what is new before what is known, then by age."""
    found = [one for one in board.incidents.values() if one.state is AlertState.FIRING and not is_silent(board, one)]
    found.sort(key=lambda one: (-LEVEL[one.severity], not is_new(board, one), one.since, one.id))
    return found


def about(board: Board, incident: Incident) -> Ref | None:
    """The object that keys act on: whom it blames, otherwise what its advice is about, otherwise its first alert's."""
    blamed = incident.blame.ref if incident.blame is not None else None
    advised = (item.target for item in incident.advice if not item.trap)
    alerted = (alert.ref for alert in alerts_of(board, incident))
    refs: list[Ref] = [ref for ref in (blamed, *advised, *alerted) if ref is not None]
    return next((ref for ref in refs if ref in board.readings), refs[0] if refs else None)


def who(board: Board, incident: Incident, limit: int) -> str:
    """Whom it blames, `provider azure` or, where there is no room, `azure`; otherwise where it was seen first."""
    if incident.blame is None:
        ref = about(board, incident)
        return label(board, ref, limit) if ref is not None else "not known"
    name = fmt.name(incident.blame.name, limit)
    whole = f"{incident.blame.dimension} {name}"
    return whole if width_of(whole) <= limit else name


def what(incident: Incident) -> str:
    """Its title without the culprit, which stands beside it."""
    title = fmt.name(incident.title, 200)
    blame = incident.blame
    return title.replace(f": {blame.dimension} {fmt.name(blame.name, 200)}", "", 1) if blame is not None else title


def advised(incident: Incident) -> Advice | None:
    """The first thing to do that a key can begin."""
    able = (item for item in incident.advice if not item.trap and item.target is not None and item.verb is not None)
    return next(able, None)


def belonging_to_none(board: Board, found: Iterable[Finding], incidents: Sequence[Incident]) -> list[Finding]:
    """Findings about objects of which no incident tells."""
    told = {alert.ref for one in incidents for alert in alerts_of(board, one)}
    told |= {one.blame.ref for one in incidents if one.blame is not None and one.blame.ref is not None}
    told |= {alert.ref for one in board.incidents.values() if is_silent(board, one) for alert in alerts_of(board, one)}
    return [item for item in found if item.ref not in told]


def worst_or(board: Board, incident_id: str | None) -> Incident | None:
    """The incident of that id, otherwise the worst that goes on, otherwise the last that was over."""
    if incident_id is not None and incident_id in board.incidents:
        return board.incidents[incident_id]
    here = going_on(board)
    return here[0] if here else max(board.incidents.values(), key=lambda one: one.until or 0.0, default=None)
