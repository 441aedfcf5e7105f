"""What one route will come to: its failures, its room, its pace, and what its calls cost more or less."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from console.domain.actions import Action, Plan, Restore
from console.domain.board import Board
from console.domain.readings import Deployment, Route
from console.domain.refs import Kind, Ref
from console.forecast.daily import Daily, no_days
from console.forecast.flow import shift
from console.forecast.load import Carrier, Settled, carrier_of, settle
from console.forecast.pools import flows_now, flows_then, pools
from console.forecast.quantities import CARRYING, headroom_of
from console.forecast.trend import Past, Trend, trend

LOOKED_BACK_S: Final = 900.0
FEW: Final = 0.005
"""A smaller part of failures is none when parts are compared."""
BEYOND: Final = 1.5
"""So many times what was seen in the last hour is more than anybody knows to be carried."""
SEEN_S: Final = 3600.0
MOST_AGAIN: Final = 0.95
FALLING_BACK: Final = 0.01
"""A larger part of the requests goes to fallbacks: attempts then say nothing of who asks again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """A route in a quarter of an hour. None is what cannot be said."""

    errors: float | None = None
    """Part of the requests that fail."""
    headroom: float | None = None
    """Part that is left of the tightest limit of who carries them."""
    usd_per_h: float | None = None
    """What its calls cost more (less: below 0) than if nothing were done."""
    errors_ratio: float = 1.0
    """Failures then ÷ failures if nothing is done."""
    p50_s: float | None = None
    """Seconds of a typical attempt then."""
    tries: float = 1.0
    """Attempts for a request then."""
    slower_s: float = 0.0
    """Seconds that a request takes more than now."""
    given_up: float = 0.0
    """Part of the requests, more than now, for which nobody waits to the end."""
    words: str = ""
    """What that rests on, or why something cannot be said."""


class Road:
    """One route as it is, from which each course departs."""

    def __init__(
        self, board: Board, route: Route, past: Past, horizon_s: float, daily: Daily = no_days, same: int = 1
    ) -> None:
        """`same`: attempts at one deployment before another is picked."""
        self.route = route
        self._board = board
        self._past = past
        self._horizon_s = horizon_s
        self._known: dict[str, Carrier | None] = {}
        traffic = route.traffic
        self._errors = self._trend("error_ratio", 0.0 if traffic is None else traffic.error_ratio or 0.0)
        self._demand = self._trend("requests_per_min", 0.0 if traffic is None else traffic.requests_per_min)
        self.errors = min(1.0, max(0.0, self._errors.after(horizon_s)))
        self.demand = max(0.0, self._demand.after(horizon_s)) * daily(route.ref, "requests_per_min")
        self._again = self._asks_again()
        self._same = same

    @property
    def usd_each(self) -> float | None:
        """Dollars for a request, as they are now."""
        traffic = self.route.traffic
        if traffic is None or self.route.usd_per_h is None or traffic.requests_per_min <= 0:
            return None
        return self.route.usd_per_h / 60.0 / traffic.requests_per_min

    def left_alone(self, more_per_min: float = 0.0) -> Fate:
        """Nothing is done to the route; `more_per_min` requests come in addition (from a queue's workers)."""
        if self.route.traffic is None:
            return Fate(words="no traffic figures here")
        grown = (self.demand + more_per_min) / self._demand.level if self._demand.level > 0 else 1.0
        left = headroom_of(self._board, self.route.ref)
        sure = "going on as in the last minutes" if self._errors.slope or self._demand.slope else "steady lately"
        return Fate(
            errors=self._errors_with(more_per_min),
            headroom=None if left is None else max(0.0, 1.0 - (1.0 - left) * grown),
            usd_per_h=0.0 if not more_per_min else _times(self.usd_each, 60.0 * more_per_min),
            words=sure,
        )

    def after(self, action: Action, target: Ref, undoes: Sequence[Plan] = ()) -> Fate:
        """The route's requests go as an action has it."""
        if self.route.traffic is None:
            return Fate(words="no traffic figures here")
        moved = shift(self._board, target, action, undoes)
        before = flows_now(self._board, self.route, moved)
        after = flows_then(self._board, self.route, moved, action, target, undoes)
        if before is None or (after is None and not moved.homeless) or not moved.known:
            return Fate(words="who would get the requests is not known")
        away = target.name if after is not None and target.name not in after else ""
        now = self._settled(before, "")
        then = self._settled(after or {}, away, moved.homeless)
        return self._fate(now, then, away)

    def _settled(self, flows: dict[str, float], gone: str, homeless: float = 0.0) -> Settled:
        fresh = self.demand * max(0.05, 1.0 - self._again * self.errors)
        groups = pools(self._board, self.route, flows, gone, self._carrier, self._same)
        return settle(
            fresh, self._again, groups, min(1.0, homeless / self._demand.level) if self._demand.level else 0.0
        )

    def _errors_with(self, more_per_min: float) -> float:
        """The failures with more (or fewer) requests on the same ways."""
        if abs(more_per_min) < 0.5:
            return self.errors
        flows = flows_now(self._board, self.route, shift(self._board, self.route.ref, Restore("")))
        if flows is None or self.demand <= 0:
            return self.errors
        groups = pools(self._board, self.route, flows, "", self._carrier, self._same)
        now = settle(self.demand, 0.0, groups)
        return _moved(self.errors, now.failing, settle(max(0.0, self.demand + more_per_min), 0.0, groups).failing)

    def _fate(self, now: Settled, then: Settled, away: str) -> Fate:
        errors = _moved(self.errors, now.failing, then.failing)
        cost, unpriced = 0.0, ""
        for name in {*now.good, *then.good}:
            carrier = self._carrier(name)
            change = then.good.get(name, 0.0) - now.good.get(name, 0.0)
            if carrier is None or (carrier.usd_each is None and abs(change) > FEW):
                unpriced = name
            else:
                cost += 60.0 * change * (carrier.usd_each or 0.0 if carrier else 0.0)
        known = then.p50_s is not None and now.p50_s is not None
        return Fate(
            errors=errors,
            headroom=self._headroom(then, away),
            usd_per_h=None if unpriced else cost,
            errors_ratio=errors / self.errors if self.errors > FEW else 1.0,
            p50_s=then.p50_s,
            slower_s=then.seconds - now.seconds if known else 0.0,
            tries=then.tries,
            given_up=max(0.0, then.given_up - now.given_up),
            words=self._rests_on(then, unpriced),
        )

    def _rests_on(self, then: Settled, unpriced: str) -> str:
        receivers = [carrier for name in then.flows if (carrier := self._carrier(name)) is not None]
        unlimited = [one.name for one in receivers if one.most is None and then.flows[one.name] > one.flow + 1.0]
        unseen = [one.name for one in receivers if not one.known and then.flows[one.name] > 1.0]
        overloaded = [one for one in receivers if one.overloaded(then.flows[one.name])]
        said = [
            f"{one.name} is not well: {then.flows[one.name]:,.0f}/min are taken to overload it"
            for one in overloaded[:1]
        ]
        said += [f"the price at {unpriced} is not known"] if unpriced else []
        said += [f"no limit of {unlimited[0]} is known"] if unlimited else []
        said += [f"{unseen[0]} is taken to be as when it was last asked"] if unseen else []
        said += [] if overloaded else self._beyond(receivers, then)
        return "; ".join(said) or "limits, failures and prices as they are now"

    def _beyond(self, receivers: Sequence[Carrier], then: Settled) -> list[str]:
        """Who would get much more than the last hour has shown that it can carry: whether it can, nobody knows."""
        for one in receivers:
            ref = Ref(self.route.ref.source, Kind.DEPLOYMENT, one.name)
            seen = [flow for flow in self._past(ref, "requests_per_min", SEEN_S) if flow is not None]
            most = max([*seen, one.flow])
            if then.flows[one.name] > BEYOND * most and then.flows[one.name] > one.flow + 1.0:
                return [
                    f"{one.name} would get {then.flows[one.name]:,.0f}/min and was seen to carry {most:,.0f} at most"
                ]
        return []

    def _headroom(self, then: Settled, away: str) -> float | None:
        whole = sum(then.good.values())
        used = [self._left(name, flow) for name, flow in then.flows.items() if self._carries(name, then, whole, away)]
        return min((left for left in used if left is not None), default=None)

    def _carries(self, name: str, then: Settled, whole: float, away: str) -> bool:
        return name != away and whole > 0 and then.good.get(name, 0.0) > CARRYING * whole

    def _left(self, name: str, flow: float) -> float | None:
        one = self._board.readings.get(Ref(self.route.ref.source, Kind.DEPLOYMENT, name))
        if not isinstance(one, Deployment) or one.headroom is None or one.traffic is None:
            return None
        left, now = one.headroom.left_ratio, one.traffic.requests_per_min
        if left is not None and now > 1.0 and left < 1.0:
            return max(0.0, 1.0 - (1.0 - left) * flow / now)
        carrier = self._carrier(name)
        return max(0.0, 1.0 - flow / carrier.most) if carrier is not None and carrier.most else None

    def _carrier(self, name: str) -> Carrier | None:
        if name not in self._known:
            self._known[name] = carrier_of(self._board, self.route.ref.source, name, self._past)
        return self._known[name]

    def _trend(self, metric: str, now: float) -> Trend:
        return trend(self._past(self.route.ref, metric, LOOKED_BACK_S), now)

    def _asks_again(self) -> float:
        """Part of the failing requests that applications make again, where attempts tell it; otherwise 0."""
        traffic = self.route.traffic
        if traffic is None or not traffic.attempts_per_request or traffic.errors_per_min < 0.01 * self.demand:
            return 0.0
        if (traffic.fallbacks_per_min or 0.0) > FALLING_BACK * traffic.requests_per_min:
            return 0.0
        names = [item.deployment for item in self.route.targets]
        attempts = sum(one.flow for name in names if (one := self._carrier(name)) is not None)
        extra = traffic.requests_per_min - attempts / traffic.attempts_per_request
        return min(MOST_AGAIN, max(0.0, extra / traffic.errors_per_min))


def _moved(errors: float, now: float, then: float) -> float:
    """Failures as they are expected, moved by as much as the model says that an action moves its own."""
    if then <= now:
        return errors * then / now if now > FEW else errors
    return 1.0 - (1.0 - errors) * (1.0 - then) / max(FEW, 1.0 - now)


def _times(one: float | None, other: float) -> float | None:
    return None if one is None else one * other
