"""The detectors at work: fed, asked, contained when they fail, and their alerts put on the board and the timeline."""

import logging
from collections.abc import Iterable, Sequence

from msgspec import structs

from console.domain.alerts import Alert, AlertState, Severity
from console.domain.errors import Refusal
from console.domain.ports import Clock
from console.domain.text import clean
from console.domain.wire import AlertMark, Change, LogKind
from console.engine.detectors.base import Detector
from console.engine.detectors.lifecycle import Lifecycle
from console.engine.store import Store

log = logging.getLogger(__name__)

SAY_FAULT_EVERY_S = 3600.0
"""A detector that goes on failing is said this often."""


class Watch:
    """Runs detectors over one store. A detector that raises stops nothing but its own word of that moment."""

    def __init__(self, detectors: Iterable[Detector], store: Store, clock: Clock) -> None:
        self._detectors = tuple(detectors)
        self._store = store
        self._clock = clock
        self._lifecycle = Lifecycle()
        self._told: dict[str, Severity] = {}
        """Alerts that the timeline knows as firing, by their severity."""
        self._fault_said: dict[str, float] = {}

    def restore(self, alerts: Sequence[Alert]) -> None:
        """Go on with the alerts that the engine before had not resolved; those that nobody watches now are over."""
        now = self._clock.now()
        names = {detector.name for detector in self._detectors}
        mine = [alert for alert in alerts if alert.rule.partition("/")[0] in names]
        over = [structs.replace(a, state=AlertState.RESOLVED, since=now) for a in alerts if a not in mine]
        known = self._lifecycle.restore(mine, now)
        self._told = {alert.id: alert.severity for alert in known if alert.state is AlertState.FIRING}
        if known or over:
            self._store.publish(alerts=[*known, *over])

    def feed(self, change: Change) -> None:
        """Let every detector hear a change."""
        for detector in self._detectors:
            try:
                detector.feed(change)
            except Exception as error:  # noqa: BLE001 - logged and said by _contain
                self._contain(detector, error)

    def tick(self) -> None:
        """Ask every detector what is wrong now, and put what became different."""
        now = self._clock.now()
        changed: list[Alert] = []
        for detector in self._detectors:
            try:
                conditions = list(detector.tick(now, self._store.board))
            except Exception as error:  # noqa: BLE001 - logged and said by _contain
                self._contain(detector, error)
                continue
            changed += self._lifecycle.take(detector.name, detector.patience, conditions, now)
        changed += self._lifecycle.expire_silences(now)
        if changed:
            self._store.publish(alerts=changed)
            self._tell(changed)

    def mark(self, mark: AlertMark, operator: str) -> Alert:
        """Acknowledge or silence.

        Raises:
            Refusal: no such alert is pending or firing (404), or the time makes no sense (400).
        """
        if not 0 <= mark.silence_s <= 7 * 86400.0:
            raise Refusal("an alert can be silenced for up to 7 days", code=400)
        try:
            alert = self._lifecycle.mark(mark.alert_id, operator, mark.silence_s, self._clock.now())
        except KeyError:
            raise Refusal(f"no alert {mark.alert_id!r} is pending or firing; it may be over", code=404) from None
        self._store.publish(alerts=(alert,))
        done = f"silenced for {mark.silence_s / 60:.0f} min" if mark.silence_s else "acknowledged"
        self._store.say(LogKind.ALERT, f"{alert.rule} {done}", ref=alert.ref, operator=operator)
        return alert

    def _tell(self, changed: Sequence[Alert]) -> None:
        """A line when an alert begins to fire, grows worse or milder, and is over; none for what never fired."""
        for alert in changed:
            told = self._told.get(alert.id)
            if alert.state is AlertState.FIRING and alert.severity is not told:
                self._told[alert.id] = alert.severity
                words = f"{alert.severity}: {alert.rule}: {alert.words}"
            elif alert.state is AlertState.RESOLVED and told is not None:
                del self._told[alert.id]
                words = f"{alert.rule} is over"
            else:
                continue
            self._store.say(LogKind.ALERT, clean(words, 500), ref=alert.ref, outcome=str(alert.state))

    def _contain(self, detector: Detector, error: Exception) -> None:
        log.error("detector %s failed", detector.name, exc_info=error)
        now = self._clock.now()
        if now - self._fault_said.get(detector.name, -SAY_FAULT_EVERY_S) >= SAY_FAULT_EVERY_S:
            self._fault_said[detector.name] = now
            words = f"the detector {detector.name} failed ({type(error).__name__}: {error}); the others go on"
            self._store.say(LogKind.ENGINE, clean(words, 300))
