"""From conditions to alerts, for all detectors in one place: pending → firing → resolved, with hysteresis and marks."""

from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from console.domain.alerts import Alert, AlertState
from console.engine.detectors.base import Condition, Patience

SAY_AGAIN_S = 30.0
"""The numbers of a firing alert are brought up to date at most this often."""
MATERIAL = 0.1
"""… and only when its value moved by this part."""
PROVE_AGAIN_S = 120.0
"""An alert of the engine before is kept for at least this long, so that its detector can see it again."""


@dataclass(slots=True)
class _Case:
    """One alert that is not over."""

    alert: Alert
    patience: Patience
    seen_at: float
    """When its condition was last there."""
    said_at: float
    keep_until: float = 0.0


class Lifecycle:
    """Holds every alert that is pending or firing. Times are unix seconds, given by the caller."""

    def __init__(self) -> None:
        self._cases: dict[str, _Case] = {}
        self._silences: dict[str, float] = {}

    def restore(self, alerts: Iterable[Alert], now: float) -> list[Alert]:
        """Take over what the engine before had not resolved, with its marks; those that are now on the board."""
        for alert in alerts:
            if alert.silenced_until is not None and alert.silenced_until > now:
                self._silences[alert.id] = alert.silenced_until
            if alert.state is AlertState.RESOLVED:
                continue
            self._cases[alert.id] = _Case(alert, Patience(), now, now, now + PROVE_AGAIN_S)
        return [case.alert for case in self._cases.values()]

    def take(self, detector: str, patience: Patience, conditions: Iterable[Condition], now: float) -> list[Alert]:
        """Hold one detector's conditions against what is known; the alerts that have become different."""
        changed: list[Alert] = []
        present: set[str] = set()
        for condition in conditions:
            identity = f"{condition.rule}@{condition.ref}"
            present.add(identity)
            case = self._cases.get(identity)
            if case is None:
                changed += self._begin(identity, patience, condition, now)
            else:
                case.patience = patience
                changed += self._go_on(case, condition, now)
        for identity, case in list(self._cases.items()):
            if identity not in present and case.alert.rule.partition("/")[0] == detector:
                changed += self._away(identity, case, now)
        return changed

    def mark(self, alert_id: str, operator: str, silence_s: float, now: float) -> Alert:
        """Acknowledge an alert and, with `silence_s` above 0, silence it for as long.

        Raises:
            KeyError: no such alert is pending or firing.
        """
        case = self._cases[alert_id]
        until = case.alert.silenced_until
        if silence_s > 0:
            until = self._silences[alert_id] = now + silence_s
        case.alert = msgspec.structs.replace(case.alert, acknowledged_by=operator, silenced_until=until)
        return case.alert

    def expire_silences(self, now: float) -> list[Alert]:
        """End the silences whose time is over; the alerts that are loud again."""
        over = [identity for identity, until in self._silences.items() if until <= now]
        loud = []
        for identity in over:
            del self._silences[identity]
            if case := self._cases.get(identity):
                case.alert = msgspec.structs.replace(case.alert, silenced_until=None)
                loud.append(case.alert)
        return loud

    def _begin(self, identity: str, patience: Patience, condition: Condition, now: float) -> list[Alert]:
        if not condition.begins:
            return []
        alert = Alert(
            rule=condition.rule,
            ref=condition.ref,
            severity=condition.severity,
            state=AlertState.PENDING if patience.fire_after_s > 0 else AlertState.FIRING,
            since=now,
            words=condition.words,
            value=condition.value,
            aspect=condition.aspect,
            examples=condition.examples,
            about=condition.about,
            silenced_until=self._silences.get(identity),
        )
        self._cases[identity] = _Case(alert, patience, now, now)
        return [alert]

    def _go_on(self, case: _Case, condition: Condition, now: float) -> list[Alert]:
        old = case.alert
        pending = old.state is AlertState.PENDING
        if pending and not condition.begins:
            return []
        case.seen_at = now
        fires = pending and now - old.since >= case.patience.fire_after_s
        worse = condition.severity is not old.severity
        about = condition.about or old.about
        differs = about != old.about or _differs(old.value, condition.value)
        moved = differs and now - case.said_at >= SAY_AGAIN_S
        if not (fires or worse or moved):
            return []
        case.said_at = now
        case.alert = msgspec.structs.replace(
            old,
            state=AlertState.FIRING if fires else old.state,
            since=now if fires else old.since,
            severity=condition.severity,
            words=condition.words,
            value=condition.value,
            examples=condition.examples,
            about=about,
        )
        return [case.alert]

    def _away(self, identity: str, case: _Case, now: float) -> list[Alert]:
        pending = case.alert.state is AlertState.PENDING
        patient = now - case.seen_at < case.patience.resolve_after_s or now < case.keep_until
        if patient and not pending:
            return []
        del self._cases[identity]
        return [msgspec.structs.replace(case.alert, state=AlertState.RESOLVED, since=now)]


def _differs(old: float | None, new: float | None) -> bool:
    if old is None or new is None:
        return old is not new
    return abs(new - old) > MATERIAL * max(abs(old), abs(new))
