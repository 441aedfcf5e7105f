"""Which rollouts services declare, and which disagreements they explain."""

import math
from dataclasses import dataclass

from console.domain.conversations import Divergence
from console.domain.readings import Service
from console.domain.refs import Ref
from console.domain.wire import Change

GRACE_S = 180.0
"""Requests that began before the end of a rollout end after it."""
KEPT_S = 3600.0
"""A rollout that is over explains what it left behind for so long."""


@dataclass(slots=True)
class _Rollout:
    words: str
    since: float
    until: float = math.inf


class Rollouts:
    """What each service has declared within the last hour."""

    def __init__(self) -> None:
        self._declared: dict[Ref, list[_Rollout]] = {}

    def feed(self, change: Change) -> None:
        """Hear what services declare now."""
        for reading in change.readings:
            if not isinstance(reading, Service):
                continue
            known = self._declared.get(reading.ref, [])
            now = known[-1] if known and known[-1].until == math.inf else None
            if now is not None and now.words == reading.rollout:
                continue
            if now is not None:
                now.until = change.at
            if reading.rollout:
                known = self._declared.setdefault(reading.ref, [])
                known.append(_Rollout(reading.rollout, change.at))
                del known[:-10]

    def any(self, now: float) -> bool:
        """Whether there is, or was not long ago, any at all."""
        if self._declared:
            self._declared = {
                ref: rollouts for ref, rollouts in self._declared.items() if now - rollouts[-1].until < KEPT_S
            }
        return bool(self._declared)

    def explain(self, source: str, one: Divergence, now: float) -> bool:
        """Whether one of the services moved, as declared, to the very knowledge that they disagree on.

        Whoever still differs when the rollout is over has been left behind by it.
        """
        for ref, rollouts in self._declared.items():
            if ref.source != source or (one.services and ref.name not in one.services):
                continue
            for rollout in rollouts:
                said = rollout.words.split()
                named = one.about in said or (one.versions and all(version in said for version in one.versions))
                began, over = one.first.at >= rollout.since - GRACE_S, rollout.until + GRACE_S
                if named and began and (one.last_at <= over or _old_news(one, said, over)):
                    return True
        return False


def _old_news(one: Divergence, said: list[str], over: float) -> bool:
    """Whether all that speaks for it is a read during the rollout from what was then going out of use, held against a
    single later one from something newer: nobody is known to be left behind."""
    going = said[:-1]
    was = one.against
    return one.last_at == one.first.at and was.at <= over and was.version in going and one.first.version not in going
