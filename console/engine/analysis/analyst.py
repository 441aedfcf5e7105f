"""Puts the analyses together: what can be seen on the board, and what the history says is usual."""

from collections.abc import Iterator

from console.domain.analysis import Analysis
from console.domain.board import Board
from console.domain.durations import words_of
from console.domain.freshness import Freshness
from console.domain.ports import Clock
from console.domain.readings import Deployment, Provider, Route, Source
from console.domain.refs import Ref
from console.domain.text import clean
from console.engine.analysis.capacity import without
from console.engine.analysis.past import LEAST_DAYS, SAME_HALF_HOUR, Asking, Past, past_of
from console.engine.analysis.recovery import verdict
from console.engine.analysis.waterfall import waterfall
from console.engine.analysis.xray import xray

LOOKED_BACK = 24
"""Objects whose history is read for one analysis, the dearest and busiest: each takes some tens of milliseconds."""
ROUTES_MOST = 50
"""Routes in one analysis, those with the most traffic."""
KEPT_S = 60.0
"""What was read of the past serves other askers for this long."""


class Analyst:
    """Analyses one board on request."""

    def __init__(self, board: Board, ask: Asking, clock: Clock) -> None:
        self._board = board
        self._ask = ask
        self._clock = clock
        self._kept: dict[Ref, tuple[float, Past]] = {}

    async def analysis(self) -> Analysis:
        """All of it, now. Reads the journal for what is usual; nothing is asked of any backend."""
        now, board = self._clock.now(), self._board
        routes = sorted(board.of(Route), key=lambda one: (-_per_min(one), str(one.ref)))[:ROUTES_MOST]
        payers = self._payers()
        wanted = [*payers[:LOOKED_BACK], *(one.ref for one in routes[: LOOKED_BACK // 2])]
        past = {ref: await self._past(ref, now) for ref in wanted}
        self._kept = {ref: kept for ref, kept in self._kept.items() if ref in past}
        seen = [(route, xray(route, board, past)) for route in routes]
        return Analysis(
            at=now,
            retries=tuple(found for _, found in seen if found is not None),
            cost=waterfall({ref: past[ref] for ref in payers[:LOOKED_BACK]}),
            recovery=tuple(one for route, found in seen if (one := verdict(route, board, found)) is not None),
            without=without(board),
            unknown=tuple(self._unknown(past, payers)),
        )

    def _payers(self) -> list[Ref]:
        """Whose money is added up: the providers of each gateway, or its deployments where it has no providers."""
        found: dict[Ref, float] = {}
        whole = {one.ref.source for one in self._board.of(Provider) if one.usd_per_h is not None}
        for provider in self._board.of(Provider):
            if provider.usd_per_h is not None:
                found[provider.ref] = provider.usd_per_h
        for one in self._board.of(Deployment):
            if one.ref.source not in whole and one.usd_per_h is not None:
                found[one.ref] = one.usd_per_h
        return sorted(found, key=lambda ref: (-found[ref], str(ref)))

    async def _past(self, ref: Ref, now: float) -> Past:
        kept = self._kept.get(ref)
        if kept is not None and now - kept[0] < KEPT_S:
            return kept[1]
        found = await past_of(ref, self._ask, now)
        self._kept[ref] = (now, found)
        return found

    def _unknown(self, past: dict[Ref, Past], payers: list[Ref]) -> Iterator[str]:
        """What cannot be said, and from when on it can."""
        usual_of = {one.usual_of for ref, one in past.items() if ref in payers}
        if payers and "" in usual_of:
            yield "cost: what is usual is known after two hours of history"
        elif payers and usual_of - {SAME_HALF_HOUR}:
            yield f"cost: compared with the last 24 h; with the same half-hour after {LEAST_DAYS} days of history"
        if not payers:
            yield "cost: no source tells what its calls cost"
        elif len(payers) > LOOKED_BACK:
            yield f"cost: only the {LOOKED_BACK} dearest of {len(payers)} are counted"
        if any(self._board.of(Route)):
            yield "retries: what a provider's client library tries again inside one attempt is told by no gateway"
        for source in self._board.of(Source):
            if source.freshness is not Freshness.FRESH:
                age = "" if source.last_ok_at is None else f" for {words_of(self._clock.now() - source.last_ok_at)}"
                yield f"{clean(source.ref.name, 60)} has not answered{age}: nothing that it tells is judged"


def _per_min(route: Route) -> float:
    return 0.0 if route.traffic is None else route.traffic.requests_per_min
