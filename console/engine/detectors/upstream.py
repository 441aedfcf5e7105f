"""A provider answers with another model or build than before: no fault, and often where one begins."""

from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from console.domain.alerts import Aspect, Severity
from console.domain.analysis import DetectorState
from console.domain.answers import Answers, Group
from console.domain.board import Board
from console.domain.refs import Ref
from console.domain.text import clean
from console.domain.wire import Change
from console.engine.detectors.base import Condition, Patience
from console.engine.detectors.naming import called, clock_time, object_of

TOLD_S = 1800.0
"""A change is told for half an hour."""
KNOWN_S = 600.0
"""A deployment must have been seen for so long before something can be new at it."""
KEPT = 50
"""Builds that are known of a deployment: the newest."""
DEPLOYMENTS_MOST = 5_000


class Known(msgspec.Struct, array_like=True):
    """What answered at one deployment so far."""

    since: float
    builds: list[str]
    """Response model and fingerprint, by a line feed; the newest last."""


@dataclass(slots=True)
class _Change:
    ref: Ref
    about: Group
    before: str
    at: float


class UpstreamChange:
    """A notice for each response model or fingerprint that a deployment answers with for the first time."""

    name = "upstream-change"
    patience = Patience(resolve_after_s=0.0)

    def __init__(self) -> None:
        self._known: dict[str, Known] = {}
        self._changes: list[_Change] = []

    def feed(self, change: Change) -> None:
        """It judges answers, which are on no board."""

    def hear(self, source: str, rows: tuple[Answers, ...], board: Board) -> None:
        """Take in whole minutes, the oldest first."""
        for row in rows:
            group = row.group
            who = group.deployment or f"{group.provider}/{group.model}"
            if not (group.fingerprint or group.response_model) or who == "/":
                continue
            self._take(source, who, row.at, group, board)

    def _take(self, source: str, who: str, at: float, group: Group, board: Board) -> None:
        build = f"{group.response_model}\n{group.fingerprint}"
        key = f"{source}\n{who}"
        known = self._known.get(key)
        if known is None:
            if len(self._known) >= DEPLOYMENTS_MOST:
                del self._known[next(iter(self._known))]
            self._known[key] = Known(at, [build])
            return
        if build in known.builds:
            return
        before = known.builds[-1]
        known.builds = [*known.builds, build][-KEPT:]
        if at - known.since < KNOWN_S:
            return
        about = Group(
            deployment=group.deployment,
            provider=group.provider,
            model=group.model,
            response_model=group.response_model,
            fingerprint=group.fingerprint,
        )
        change = _Change(object_of(board, source, about, group.service), about, before, at)
        self._changes = [one for one in self._changes if one.ref != change.ref] + [change]

    def tick(self, now: float, board: Board) -> Iterator[Condition]:
        """One condition a deployment: its newest change."""
        self._changes = [one for one in self._changes if now - one.at < TOLD_S]
        for one in self._changes:
            yield Condition(self.name, one.ref, Severity.NOTICE, _words(one), aspect=Aspect.ANSWERS, about=one.about)

    def remember(self) -> bytes:
        """What answered so far, as JSON."""
        return msgspec.json.encode(self._known)

    def recall(self, state: bytes, now: float) -> None:
        """Go on from what was known; what cannot be read is learnt anew."""
        try:
            self._known = msgspec.json.decode(state, type=dict[str, Known])
        except msgspec.MsgspecError:
            return

    def state(self, now: float) -> DetectorState:
        """The deployments whose builds it knows."""
        learning = [key for key, known in self._known.items() if now - known.since < KNOWN_S]
        return DetectorState(
            name=self.name,
            summary="models and builds that a provider answers with for the first time",
            watching=len(self._known) - len(learning),
            learning=len(learning),
            unknown=tuple(
                clean(f"{key.partition(chr(10))[2]}: seen for too short a time", 160) for key in learning[:10]
            ),
        )


def _words(change: _Change) -> str:
    about = change.about
    model, _, fingerprint = change.before.partition("\n")
    parts = []
    if about.response_model != model:
        parts.append(f"model {clean(about.response_model, 60) or '?'}, before {clean(model, 60) or '?'}")
    if about.fingerprint != fingerprint:
        parts.append(f"build {clean(about.fingerprint, 60) or '?'}, before {clean(fingerprint, 60) or '?'}")
    who = called(Group(deployment=about.deployment, provider=about.provider, model=about.model))
    return f"{who} answers with another {'; '.join(parts)}; first seen at {clock_time(change.at - 60.0)}"
