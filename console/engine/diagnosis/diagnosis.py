"""Incidents on the board: begun, judged anew as alerts come and go, and ended; said on the timeline."""

import logging
from collections.abc import Mapping, Sequence

import msgspec

from console.domain.alerts import Alert, AlertState, Severity
from console.domain.incidents import Blame, Incident
from console.domain.ports import Clock
from console.domain.text import clean
from console.domain.wire import LogKind
from console.engine.diagnosis.advice import advice
from console.engine.diagnosis.before import changes_before, operators_action, support_of
from console.engine.diagnosis.blame import OF_DEPLOYMENTS, Blaming, Candidate
from console.engine.diagnosis.grouping import Case, Grouping
from console.engine.diagnosis.prose import Prose, clock, title
from console.engine.diagnosis.rules import CHANGE, rule_of
from console.engine.diagnosis.siblings import Siblings
from console.engine.diagnosis.topology import Place, Topology
from console.engine.diagnosis.usual import Usual
from console.engine.knowledge import NO_KNOWLEDGE, Knowing
from console.engine.store import Store

log = logging.getLogger(__name__)

AGAIN_S = 30.0
"""Open incidents are judged anew this often although no alert has changed: siblings fall ill and get well."""
TOPOLOGY_S = 10.0
"""Numbers that siblings are compared by are at most this old."""
STEADY = 1.1
"""Another culprit has to be this many times as likely as the one that was named, so that the name does not flap."""
OTHERS = 3
SAY_FAULT_EVERY_S = 3600.0
CHANGES_KEPT_S = 3600.0


class Diagnosis:
    """Makes incidents of the alerts on one store's board. Tick it about once a second: it is quick when all is well."""

    def __init__(self, store: Store, clock: Clock, knowing: Knowing = lambda _: NO_KNOWLEDGE) -> None:
        """`knowing` says which index or memory a service uses: alerts do not name them."""
        self._knowing = knowing
        self._store = store
        self._clock = clock
        self._grouping = Grouping()
        self._usual = Usual()
        self._seen: dict[str, tuple[AlertState, Severity, float]] = {}
        """What was judged last: the state of every alert."""
        self._changes: dict[str, Alert] = {}
        """Changes upstream, of the last hour."""
        self._judged_at = 0.0
        self._topology: Topology | None = None
        self._topology_of = 0
        self._topology_at = 0.0
        self._fault_said_at = -SAY_FAULT_EVERY_S
        self._told: dict[str, str] = {}
        """Incident → the culprit that the timeline knows."""

    def restore(self, incidents: Sequence[Incident], alerts: Sequence[Alert]) -> None:
        """Go on with the incidents that the engine before had left open; their alerts are those on the board."""
        known = {alert.id: alert for alert in alerts}
        now = self._clock.now()
        for incident in incidents:
            case = Case(id=incident.id, since=incident.since, fired_at=now)
            for identity in incident.alerts:
                if alert := known.get(identity):
                    case.take(alert)
                    case.began.setdefault(identity, min(alert.since, now))
            if case.alerts:
                self._grouping.open[case.id] = case
                self._told[case.id] = _name(incident.blame)
                self._store.publish(incidents=(incident,))
            else:
                self._end(incident, now)

    def tick(self) -> None:
        """Judge what has become different, and put it on the board; a fault in here stops no detector."""
        try:
            self._tick()
        except Exception as error:
            log.exception("the diagnosis failed")
            now = self._clock.now()
            if now - self._fault_said_at >= SAY_FAULT_EVERY_S:
                self._fault_said_at = now
                words = f"the diagnosis failed ({type(error).__name__}: {error}); the alerts stand"
                self._store.say(LogKind.ENGINE, clean(words, 300))

    def _tick(self) -> None:
        now, board = self._clock.now(), self._store.board
        ill = frozenset(alert.ref for alert in board.alerts.values() if alert.state is AlertState.FIRING)
        self._usual.tick(board, now, ill)
        states = {alert.id: (alert.state, alert.severity, alert.since) for alert in board.alerts.values()}
        due = bool(self._grouping.open) and now - self._judged_at >= AGAIN_S
        if states == self._seen and not due:
            return
        self._seen, self._judged_at = states, now
        self._keep_changes(board.alerts, now)
        if not self._grouping.open and not any(state is AlertState.FIRING for state, _, _ in states.values()):
            return
        self._judge(now)

    def alerts_of(self, incident_id: str) -> tuple[str, ...]:
        """The ids of an incident's alerts that are not over.

        Raises:
            KeyError: no such incident is open.
        """
        return tuple(a.id for a in self._grouping.open[incident_id].alerts.values() if a.state is AlertState.FIRING)

    def _keep_changes(self, alerts: Mapping[str, Alert], now: float) -> None:
        for alert in alerts.values():
            if rule_of(alert) == CHANGE and alert.state is AlertState.FIRING:
                self._changes[alert.id] = alert
        self._changes = {k: a for k, a in self._changes.items() if now - a.since <= CHANGES_KEPT_S}

    def _judge(self, now: float) -> None:
        board = self._store.board
        topology = self._up_to_date(now)
        over = self._grouping.take(board.alerts, topology, now)
        incidents = [self._incident(case, topology, now) for case in (*self._grouping.open.values(), *over)]
        changed = [one for one in incidents if board.incidents.get(one.id) != one]
        if changed:
            self._store.publish(incidents=changed)
            for one in changed:
                self._tell(one)

    def _up_to_date(self, now: float) -> Topology:
        """The topology, made anew when objects came or went, and now and then for their numbers."""
        count = len(self._store.board.readings)
        if self._topology is None or self._topology_of != count or now - self._topology_at >= TOPOLOGY_S:
            self._topology = Topology(self._store.board, self._knowing)
            self._topology_of, self._topology_at = count, now
        self._topology.renew()
        return self._topology

    def _incident(self, case: Case, topology: Topology, now: float) -> Incident:
        """One case as it is shown. One that is over keeps the culprit that it had."""
        before = self._store.board.incidents.get(case.id)
        if case.until is not None and before is not None:
            return msgspec.structs.replace(before, state=AlertState.RESOLVED, until=case.until, advice=())
        board = self._store.board
        places = {identity: topology.place(alert) for identity, alert in case.evidence.items()}
        siblings = Siblings(case, places, topology, board.alerts.values(), self._usual)
        found = Blaming(case, places, topology, siblings).candidates()
        suspects = self._suspects(case, found, Prose(case, places, topology, siblings), topology, before)
        action = operators_action(case, board, places.values(), topology)
        if action is not None:
            suspects.append(action[0])
            suspects.sort(key=lambda one: -one.score)
        blame = suspects[0] if suspects else None
        firing = case.firing
        return Incident(
            id=case.id,
            since=case.since,
            state=AlertState.FIRING,
            severity=_severity(firing or list(case.alerts.values())),
            title=title(case, blame),
            aspects=tuple(sorted({alert.aspect for alert in case.alerts.values()})),
            blame=blame,
            others=tuple(suspects[1 : 1 + OTHERS]),
            alerts=tuple(case.alerts),
            advice=advice(case, blame, board, topology),
            notes=self._notes(case, places, topology, action[1] if action else ""),
        )

    def _suspects(
        self, case: Case, found: list[Candidate], prose: Prose, topology: Topology, before: Incident | None
    ) -> list[Blame]:
        """The likeliest first; the one that was named stays the first until another one is clearly likelier."""
        if found and before is not None and before.blame is not None:
            named = (before.blame.dimension, before.blame.name)
            mine = next((one for one in found if (one.node.dimension, clean(one.node.name, 100)) == named), None)
            if mine is not None and found[0].score < STEADY * mine.score:
                found = [mine, *(one for one in found if one is not mine)]
        changes = changes_before(case, self._changes.values())
        blames = []
        for one in found[: 1 + OTHERS]:
            members = topology.members.get(one.node, set()) if one.node.dimension in OF_DEPLOYMENTS else {one.node}
            blames.append(prose.blame(one, support_of(one.node, frozenset(members), changes, topology, case.since)))
        return blames

    def _notes(self, case: Case, places: Mapping[str, Place], topology: Topology, action: str) -> tuple[str, ...]:
        notes = [action] if action else []
        changes = changes_before(case, self._changes.values())[:2]
        notes += [clean(f"{clock(change.since)}: {change.words}", 200) for change in changes]
        if not case.firing:
            notes.append("no alert fires any more; it counts as over when that has lasted")
        stale = sorted({alert.ref.source for alert in case.alerts.values() if not self._fresh(alert.ref.source)})
        notes += [clean(f"{name} does not answer: what is said of it is old", 200) for name in stale]
        return tuple(notes)

    def _fresh(self, source: str) -> bool:
        reading = self._store.board.source(source)
        return reading is None or reading.freshness == "fresh"

    def _tell(self, one: Incident) -> None:
        """A line when an incident says more than its one alert did, when another culprit is named, and at its end."""
        name = _name(one.blame)
        ref = None if one.blame is None else one.blame.ref
        told = self._told.get(one.id)
        if one.until is not None:
            if self._told.pop(one.id, None) is None:
                return
            words = f"incident over: {one.title}"
        elif told is None:
            if len(one.alerts) == 1 and one.alerts[0].endswith(f"@{ref}"):
                return
            self._told[one.id] = name
            words = f"incident: {one.title}"
        elif told != name and name:
            self._told[one.id] = name
            because = one.blame.because if one.blame is not None else ""
            words = f"incident: the likeliest culprit is {name} now: {because}"
        else:
            return
        self._store.say(LogKind.ALERT, clean(words, 500), ref=ref, outcome=str(one.state))

    def _end(self, incident: Incident, now: float) -> None:
        self._store.publish(incidents=(msgspec.structs.replace(incident, state=AlertState.RESOLVED, until=now),))


def _name(blame: Blame | None) -> str:
    return "" if blame is None else f"{blame.dimension} {blame.name}"


def _severity(alerts: list[Alert]) -> Severity:
    ranks = {Severity.PAGE: 2, Severity.TICKET: 1, Severity.NOTICE: 0}
    return max((alert.severity for alert in alerts), key=ranks.__getitem__, default=Severity.TICKET)
