"""Requests that go round in a circle: every call a success, and the money gone."""

from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from console.domain.alerts import Aspect, Severity
from console.domain.analysis import DetectorState
from console.domain.answers import Answers, Group
from console.domain.board import Board
from console.domain.text import clean
from console.domain.wire import Change
from console.engine.detectors.base import Condition, Patience
from console.engine.detectors.naming import called, clock_time, object_of
from console.engine.detectors.shared import Count, shared, within

REPEATS = 5
"""One tool, called so often with the same arguments by one request within a minute, goes round in a circle."""
STEPS = 3.0
"""As many model calls as this many times the usual most of a request are too many, …"""
STEPS_LEAST = 12
"""… and no fewer than this."""
USUAL_MINUTES = 60.0
"""Minutes over which the usual most calls of a request are a mean."""
LEARN_MINUTES = 30
LATELY_S = 600.0
"""A loop is told for as long as one was seen within this time."""
WITHIN_S = 300.0
MINUTES = 2
"""Minutes within `WITHIN_S` in which one must be seen: a single request that stumbles is nothing."""
GROUPS_MOST = 5_000


class Most(msgspec.Struct, array_like=True):
    """The most calls that a request of one service makes in a minute, as it usually is."""

    mean: float = 0.0
    minutes: int = 0
    peak: float = 0.0
    """The highest of the quiet minutes, slowly forgotten: of few requests the most is no steady figure."""

    def add(self, calls: int) -> None:
        """Take in a quiet minute."""
        self.minutes += 1
        self.mean += (calls - self.mean) / min(float(self.minutes), USUAL_MINUTES)
        self.peak = max(float(calls), self.peak * 0.999)

    @property
    def line(self) -> float:
        """From here on it is too many."""
        return max(float(STEPS_LEAST), STEPS * self.mean, 1.5 * self.peak)


@dataclass(slots=True)
class _Minute:
    """One group's minute in which something looped."""

    at: float
    group: Group
    calls: int
    repeats: int
    trace: str
    usd: float | None
    loops: bool


@dataclass(slots=True)
class _Source:
    most: dict[str, Most]
    minutes: list[_Minute]
    since: float = 0.0
    about: Group | None = None
    at: float = 0.0


class AgentLoop:
    """A ticket for a trace source in which requests go round in a circle, on what those have in common."""

    name = "agent-loop"
    patience = Patience(resolve_after_s=120.0)

    def __init__(self) -> None:
        self._sources: dict[str, _Source] = {}

    def feed(self, change: Change) -> None:
        """It judges answers, which are on no board."""

    def hear(self, source: str, rows: tuple[Answers, ...], board: Board) -> None:
        """Take in whole minutes, the oldest first."""
        known = self._sources.setdefault(source, _Source({}, []))
        for row in rows:
            if not row.calls_most:
                continue
            known.at = row.at
            most = known.most.get(row.group.service)
            if most is None:
                if len(known.most) >= GROUPS_MOST:
                    del known.most[next(iter(known.most))]
                most = known.most[row.group.service] = Most()
            many = most.minutes >= LEARN_MINUTES and row.calls_most > most.line
            loops = row.repeats_most >= REPEATS or many
            if not loops:
                most.add(row.calls_most)
            trace = row.repeating or (row.examples[0] if row.examples else "")
            minute = _Minute(row.at, row.group, row.calls_most, row.repeats_most, trace, row.usd, loops)
            known.minutes.append(minute)
        self._forget(known)

    def _forget(self, known: _Source) -> None:
        known.minutes = [one for one in known.minutes if one.at > known.at - LATELY_S][-GROUPS_MOST:]

    def tick(self, now: float, board: Board) -> Iterator[Condition]:
        """One condition a trace source; its value is the most calls that one request made in a minute."""
        for source, known in self._sources.items():
            looping = [one for one in known.minutes if one.loops]
            if not looping:
                known.about = None
                continue
            if known.about is None:
                lately = {one.at for one in looping if one.at > known.at - WITHIN_S}
                if len(lately) < MINUTES:
                    continue
                known.since = looping[0].at - 60.0
                known.about = _common(known.minutes)
            mine = [one for one in looping if within(one.group, known.about)] or looping
            yield _condition(source, known, known.about, mine, board)

    def remember(self) -> bytes:
        """The usual most calls of a request, as JSON."""
        return msgspec.json.encode({source: known.most for source, known in self._sources.items()})

    def recall(self, state: bytes, now: float) -> None:
        """Go on from what was usual; what cannot be read is learnt anew."""
        try:
            kept = msgspec.json.decode(state, type=dict[str, dict[str, Most]])
        except msgspec.MsgspecError:
            return
        for source, most in kept.items():
            self._sources.setdefault(source, _Source({}, [])).most = most

    def state(self, now: float) -> DetectorState:
        """The services that it judges; a tool that is called again and again needs no learning."""
        services = {service: most for known in self._sources.values() for service, most in known.most.items()}
        learning = [service for service, most in services.items() if most.minutes < LEARN_MINUTES]
        return DetectorState(
            name=self.name,
            summary="requests that call one tool again and again with the same arguments, or far too many models",
            watching=len(services),
            learning=len(learning),
            unknown=tuple(
                clean(f"{service}: how many calls a request makes is learnt in {LEARN_MINUTES} min", 160)
                for service in learning[:10]
            ),
        )


def _common(minutes: list[_Minute]) -> Group:
    """What the groups have in common in which requests loop; every group's minute counts once."""
    return shared([Count(one.group, float(one.loops), 1.0, 0.0) for one in minutes])


def _condition(source: str, known: _Source, about: Group, mine: list[_Minute], board: Board) -> Condition:
    worst = max(mine, key=lambda one: (one.repeats, one.calls))
    most = known.most.get(worst.group.service, Most())
    words = f"a request of {called(about)} made {worst.calls} model calls in a minute"
    if worst.repeats >= REPEATS:
        words += f" and called one tool {worst.repeats} times with the same arguments"
    if most.minutes >= LEARN_MINUTES:
        words += f"; usually {most.mean:.2g} at the most"
    usd = sum(one.usd or 0.0 for one in mine)
    if usd > 0:
        words += f"; those calls and the ones beside them cost ${usd:.2f} in the last {LATELY_S / 60:.0f} min"
    words += f"; began at {clock_time(known.since)}"
    return Condition(
        AgentLoop.name,
        object_of(board, source, Group(service=about.service), worst.group.service),
        Severity.TICKET,
        words,
        float(worst.calls),
        aspect=Aspect.COST,
        examples=tuple(dict.fromkeys(one.trace for one in reversed(mine) if one.trace))[:3],
        about=about,
    )
