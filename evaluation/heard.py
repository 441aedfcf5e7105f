"""What the product has said: its alarms, and whom its incidents blame, from the changes of its board."""

import math
from dataclasses import dataclass, field

from console.domain.alerts import Alert, AlertState, Severity
from console.domain.incidents import Incident
from console.domain.wire import Change
from evaluation.alarms import Alarm

LOUD = frozenset({Severity.PAGE, Severity.TICKET})
"""Somebody is called; a notice is only written down."""


@dataclass(frozen=True, slots=True)
class Blamed:
    """From `at` (unix seconds) on an incident blames somebody; empty: nobody."""

    at: float
    whom: str
    alerts: frozenset[str]
    """Ids of the incident's alerts."""
    title: str = ""


@dataclass(slots=True)
class Heard:
    """Listens to a store."""

    _firing: dict[str, Alarm] = field(default_factory=dict)
    _over: list[Alarm] = field(default_factory=list)
    _blamed: dict[str, list[Blamed]] = field(default_factory=dict)
    """By incident."""

    def hear(self, change: Change) -> None:
        """Take in a change."""
        for alert in change.alerts:
            self._alert(alert, change.at)
        for incident in change.incidents:
            self._incident(incident, change.at)

    def _alert(self, alert: Alert, at: float) -> None:
        loud = alert.severity in LOUD and alert.state is AlertState.FIRING
        known = self._firing.get(alert.id)
        if loud and known is None:
            self._firing[alert.id] = Alarm(at, math.inf, alert.id, f"{alert.severity}: {alert.words}")
        elif not loud and known is not None:
            del self._firing[alert.id]
            self._over.append(Alarm(known.begin, at, known.what, known.words))

    def _incident(self, incident: Incident, at: float) -> None:
        whom = f"{incident.blame.dimension}/{incident.blame.name}" if incident.blame else ""
        said = self._blamed.setdefault(incident.id, [])
        alerts = frozenset(incident.alerts)
        if not said or (said[-1].whom, said[-1].alerts) != (whom, alerts):
            said.append(Blamed(at, whom, alerts, incident.title))

    def alarms(self, since: float = -math.inf) -> list[Alarm]:
        """Those that began at `since` (unix seconds) or later, the earliest first."""
        found = (alarm for alarm in (*self._over, *self._firing.values()) if alarm.begin >= since)
        return sorted(found, key=lambda alarm: (alarm.begin, alarm.what))

    def blamed(self, alert: str, until: float) -> Blamed | None:
        """Whom the incident of an alert blames at `until` (unix seconds); None while it is in none."""
        last = [line for said in self._blamed.values() if (line := [one for one in said if one.at <= until])]
        found = [line[-1] for line in last if alert in line[-1].alerts]
        return found[-1] if found else None
