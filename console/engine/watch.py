"""The detectors at work: fed, asked, contained when they fail, and their alerts put on the board and the timeline."""

import contextlib
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec
from msgspec import structs

from console.domain.alerts import Alert, AlertState, Severity
from console.domain.analysis import DetectorState
from console.domain.answers import Answers
from console.domain.errors import Refusal
from console.domain.ports import Clock
from console.domain.text import clean
from console.domain.wire import AlertMark, Change, LogKind, encode
from console.engine.detectors.base import Detector, Judging, Learner, OfAnswers
from console.engine.detectors.lifecycle import Lifecycle
from console.engine.store import Store

log = logging.getLogger(__name__)

SAY_FAULT_EVERY_S = 3600.0
"""A detector that goes on failing is said this often."""


class _Kept(msgspec.Struct, frozen=True):
    """One detector's memory, with the minutes that are in it: what comes again must not count twice."""

    heard: dict[str, float]
    """Trace source → unix seconds of the last minute that it heard."""
    state: msgspec.Raw


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
        self._of_answers = {d.name: d for d in self._detectors if isinstance(d, OfAnswers)}
        self._learners = {d.name: d for d in self._detectors if isinstance(d, Learner)}
        self._heard: dict[str, dict[str, float]] = {name: {} for name in self._of_answers}

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
                self._contain(detector.name, error)

    def tick(self) -> None:
        """Ask every detector what is wrong now, and put what became different."""
        now = self._clock.now()
        changed: list[Alert] = []
        for detector in self._detectors:
            try:
                conditions = list(detector.tick(now, self._store.board))
            except Exception as error:  # noqa: BLE001 - logged and said by _contain
                self._contain(detector.name, error)
                continue
            changed += self._lifecycle.take(detector.name, detector.patience, conditions, now)
        changed += self._lifecycle.expire_silences(now)
        if changed:
            self._store.publish(alerts=changed)
            self._tell(changed)

    def hear(self, source: str, rows: tuple[Answers, ...]) -> None:
        """Let the detectors that judge answers hear whole minutes, the oldest first; each of them hears each once."""
        for _ in self.hearing(source, rows):
            pass

    def hearing(self, source: str, rows: tuple[Answers, ...]) -> Iterator[None]:
        """The same, one detector after the other: whoever goes through it may let others have their turn in between.

        Where that ends half-way, `heard_to` says so, and what comes again is heard by those alone that have not.
        """
        for detector in self._detectors:
            judge = self._of_answers.get(detector.name)
            if judge is None:
                continue
            heard = self._heard[detector.name]
            known = heard.get(source, 0.0)
            new = rows if not rows or rows[0].at > known else tuple(row for row in rows if row.at > known)
            if not new:
                continue
            heard[source] = new[-1].at
            try:
                judge.hear(source, new, self._store.board)
            except Exception as error:  # noqa: BLE001 - logged and said by _contain
                self._contain(detector.name, error)
            yield

    def heard_to(self, source: str) -> float | None:
        """Up to which minute (unix seconds) all that judge answers have heard a trace source; None: one never has."""
        heard = [heard.get(source) for heard in self._heard.values()]
        known = [at for at in heard if at is not None]
        return min(known) if known and len(known) == len(heard) else None

    @property
    def learners(self) -> tuple[str, ...]:
        """The names of the detectors that have something to remember."""
        return tuple(self._learners)

    def remember(self, name: str) -> bytes | None:
        """What one detector has learnt, to be given back by `recall`; None when it cannot say."""
        learner = self._learners[name]
        try:
            return encode(_Kept(self._heard.get(name, {}), msgspec.Raw(learner.remember())))
        except Exception as error:  # noqa: BLE001 - logged and said by _contain
            self._contain(name, error)
            return None

    def recall(self, kept: Mapping[str, bytes]) -> None:
        """Give detectors back what `remember` said of them; what cannot be read is learnt anew."""
        for name, learner in self._learners.items():
            if name not in kept:
                continue
            try:
                one = msgspec.json.decode(kept[name], type=_Kept)
                learner.recall(bytes(one.state), self._clock.now())
            except Exception as error:  # noqa: BLE001 - logged and said by _contain
                self._contain(name, error)
                continue
            if name in self._heard:
                self._heard[name] = dict(one.heard)

    def states(self) -> tuple[DetectorState, ...]:
        """What each detector watches, and what it cannot judge yet."""
        now = self._clock.now()
        found = []
        for detector in self._detectors:
            try:
                known = detector.state(now) if isinstance(detector, Judging) else None
            except Exception as error:  # noqa: BLE001 - logged and said by _contain
                self._contain(detector.name, error)
                known = DetectorState(name=detector.name, summary="", unknown=("it fails; see the timeline",))
            found.append(known or DetectorState(name=detector.name, summary=""))
        return tuple(found)

    def mark(self, mark: AlertMark, operator: str) -> Alert:
        """Acknowledge or silence.

        Raises:
            Refusal: no such alert is pending or firing (404), or the time makes no sense (400).
        """
        _sensible(mark)
        try:
            alert = self._lifecycle.mark(mark.alert_id, operator, mark.silence_s, self._clock.now())
        except KeyError:
            raise Refusal(f"no alert {mark.alert_id!r} is pending or firing; it may be over", code=404) from None
        self._store.publish(alerts=(alert,))
        self._store.say(LogKind.ALERT, f"{alert.rule} {_done(mark)}", ref=alert.ref, operator=operator)
        return alert

    def mark_all(self, alert_ids: Sequence[str], mark: AlertMark, operator: str) -> None:
        """Acknowledge or silence every alert of an incident; one line on the timeline. Those that are over are left.

        Raises:
            Refusal: none of them is pending or firing (404), or the time makes no sense (400).
        """
        _sensible(mark)
        marked = []
        for identity in alert_ids:
            with contextlib.suppress(KeyError):
                marked.append(self._lifecycle.mark(identity, operator, mark.silence_s, self._clock.now()))
        if not marked:
            raise Refusal(f"none of the alerts of {mark.alert_id!r} is pending or firing; it may be over", code=404)
        self._store.publish(alerts=marked)
        words = f"incident {_done(mark)}, with {len(marked)} alerts"
        self._store.say(LogKind.ALERT, words, ref=marked[0].ref, operator=operator)

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

    def _contain(self, name: str, error: Exception) -> None:
        log.error("detector %s failed", name, exc_info=error)
        now = self._clock.now()
        if now - self._fault_said.get(name, -SAY_FAULT_EVERY_S) >= SAY_FAULT_EVERY_S:
            self._fault_said[name] = now
            words = f"the detector {name} failed ({type(error).__name__}: {error}); the others go on"
            self._store.say(LogKind.ENGINE, clean(words, 300))


def _sensible(mark: AlertMark) -> None:
    if not 0 <= mark.silence_s <= 7 * 86400.0:
        raise Refusal("an alert can be silenced for up to 7 days", code=400)


def _done(mark: AlertMark) -> str:
    return f"silenced for {mark.silence_s / 60:.0f} min" if mark.silence_s else "acknowledged"
