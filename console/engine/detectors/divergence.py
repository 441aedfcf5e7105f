"""Services that answer one conversation from different knowledge, as alerts on the conversation."""

from collections.abc import Iterator
from itertools import chain

from console.domain.alerts import Aspect, Severity
from console.domain.analysis import DetectorState
from console.domain.answers import Group
from console.domain.board import Board
from console.domain.conversations import Divergence, DivergenceKind
from console.domain.refs import Kind, Ref
from console.domain.wire import Change
from console.engine.detectors.base import Condition, Patience
from console.engine.detectors.laggard import Laggard
from console.engine.detectors.rollouts import Rollouts

FLOOD = 5
"""More conversations than this that disagree in one way are one alert with a count …"""
EBB = 3
"""… until there are no more than this."""


class Divergent:
    """A ticket for every conversation, trace source and kind of divergence that was seen within the window.

    It is pending for a while: a span that comes late may explain what looked like a disagreement.
    """

    name = "divergence"
    patience = Patience(fire_after_s=20.0, resolve_after_s=10.0)

    def __init__(self) -> None:
        self._found: dict[str, dict[DivergenceKind, dict[Ref, list[Divergence]]]] = {}
        self._flooded: dict[tuple[str, DivergenceKind], Ref] = {}
        """The conversation that stands for all while there are too many."""
        self._rollouts = Rollouts()
        self._laggard = Laggard()

    def found(self, source: str, divergences: tuple[Divergence, ...]) -> None:
        """Take what one trace source shows now, by time: everything, not only what is new."""
        kinds: dict[DivergenceKind, dict[Ref, list[Divergence]]] = {kind: {} for kind in DivergenceKind}
        for one in divergences:
            kinds[one.kind].setdefault(_ref(source, one), []).append(one)
        self._found[source] = kinds

    def feed(self, change: Change) -> None:
        """Hear which rollouts are declared; it judges marks, which are on no board."""
        self._rollouts.feed(change)
        self._laggard.feed(change)

    def tick(self, now: float, board: Board) -> Iterator[Condition]:
        """One condition a conversation; its value is how often it disagreed, or how many conversations did.

        That services differ while one after the other moves to new knowledge as planned is nothing to tell.
        """
        for source, kinds in self._found.items():
            for kind, by_kind in kinds.items():
                by_ref = self._unplanned(source, by_kind, now) if kind is DivergenceKind.SNAPSHOTS else by_kind
                lead = self._lead((source, kind), by_ref)
                if lead is not None:
                    words = f"{len(by_ref)} conversations disagree; {by_ref[lead][0].words}"
                    about = self._laggard.about(source, chain.from_iterable(by_ref.values()))
                    yield _condition(kind, lead, words, len(by_ref), about)
                    continue
                for ref, found in by_ref.items():
                    yield _condition(kind, ref, _words(found), len(found), self._laggard.about(source, found))

    def _unplanned(self, source: str, by_ref: dict[Ref, list[Divergence]], now: float) -> dict[Ref, list[Divergence]]:
        """What is left when those are taken out that a declared rollout explains."""
        if not self._rollouts.any(now):
            return by_ref
        left = {
            ref: [one for one in found if not self._rollouts.explain(source, one, now)] for ref, found in by_ref.items()
        }
        return {ref: found for ref, found in left.items() if found}

    def state(self, now: float) -> DetectorState:
        """The trace stores whose marks it hears."""
        summary = "services that answer one conversation from different knowledge or memory"
        return DetectorState(name=self.name, summary=summary, watching=len(self._found))

    def _lead(self, which: tuple[str, DivergenceKind], by_ref: dict[Ref, list[Divergence]]) -> Ref | None:
        """Who stands for all of a flood: the same one for as long as it is among them."""
        lead = self._flooded.get(which)
        if len(by_ref) <= (FLOOD if lead is None else EBB):
            self._flooded.pop(which, None)
            return None
        if lead not in by_ref:
            lead = self._flooded[which] = next(iter(by_ref))
        return lead


def _ref(source: str, one: Divergence) -> Ref:
    """What an alert is about: the conversation, or the request where no conversation is known."""
    if one.conversation:
        return Ref(source, Kind.CONVERSATION, one.conversation)
    return Ref(source, Kind.REQUEST, one.first.trace_id)


def _condition(kind: DivergenceKind, ref: Ref, words: str, many: int, about: Group | None) -> Condition:
    rule = f"{Divergent.name}/{kind.replace(' ', '-')}"
    return Condition(rule, ref, Severity.TICKET, words, float(many), aspect=Aspect.ANSWERS, about=about)


def _words(found: list[Divergence]) -> str:
    more = f"; and {len(found) - 1} more since" if len(found) > 1 else ""
    return found[0].words + more
