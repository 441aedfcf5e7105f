"""What deployments make of the requests that reach them: limits, retries, fallbacks, and how these feed each other.

For a request a route asks up to `TRIES` times one of those who are asked together; at that one it may try several times
(`Pool.same`). Attempts above a limit fail, failing attempts are made again, and those are load too: the flow goes round
until it stands.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from console.domain.board import Board
from console.domain.readings import Deployment
from console.domain.refs import Kind, Ref
from console.forecast.trend import Past

TRIES: Final = 3
"""Times that one of the deployments that are asked together is picked for a request, where nothing tells more."""
ROUNDS: Final = 30
"""Times that the flow goes round at the most, and …"""
SETTLED: Final = 1e-4
"""… the part by which it may still move when it stands."""
TURNED_AWAY: Final = ("429", "503")
"""Failures that come of too much load: with less of it they end."""
LATE: Final = "timeout"
"""Comes of load too, where a provider turns away what it cannot take."""
FAULT: Final = "5"
"""How the name of a failure begins that is the provider's own fault, and …"""
REFUSED: Final = ("400", "401", "403", "404", "422")
"""… failures that are the callers' own: wherever their requests go, these go along, and nobody tries them again."""
PRESSED: Final = 0.02
"""Part of the attempts turned away from which on what gets through is taken to be all that a provider can."""
LAST_SEEN_S: Final = 3600.0
ILL: Final = (0.1, 0.6)
"""What fails by its own fault in a part between these is not well: of its room, only what it was seen to carry like
that is believed … (What is dead fails at once, however much comes.)"""
ROOM: Final = 1.2
"""… and this much more. Tuned, as the two below: nobody sees the room of an ill provider."""
PATIENCE: Final = 6.0
"""Where an ill provider gets more, a request waits there for as long as anybody waits: so many times what an attempt
takes on a good day. Nobody waits for longer, whatever happens …"""
GIVEN_UP: Final = 0.4
"""… and of those that wait so long, this part has waited in vain."""
CUT_SHORT: Final = 0.5
"""Part of its time that an attempt takes which fails in its own right."""
AWAY_S: Final = 0.6
"""Seconds that an attempt takes which is turned away, with the wait before the next one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Carrier:
    """One deployment, as far as it can be told how it will fare."""

    name: str
    flow: float
    """Attempts a minute that reach it now."""
    own: float
    """Part that fails whatever the load."""
    most: float | None
    """Attempts a minute that get through at the most; None where nothing says."""
    late: float
    """Of what does not get through, the part that waits and times out; the rest is turned away at once."""
    p50_s: float | None
    usd_each: float | None
    """Dollars for an attempt that is answered."""
    usual_s: float | None = None
    """`p50_s` on a good day."""
    room: float | None = None
    """Attempts a minute beyond which it is overloaded, as far as anybody can believe; None where it is well."""
    known: bool = True
    """False when nothing was sent to it lately: how it fares is what was seen of it last."""

    def failing(self, flow: float) -> float:
        """Part that fails of so many attempts a minute."""
        return 1.0 - (1.0 - self.own) * (1.0 - self.away(flow))

    def away(self, flow: float) -> float:
        """Part that does not get through of so many attempts a minute."""
        most = min((limit for limit in (self.most, self.room) if limit is not None), default=flow)
        return 1.0 - most / flow if flow > most else 0.0

    def overloaded(self, flow: float) -> bool:
        """Whether so many attempts a minute are more than it can be believed to have room for."""
        return self.room is not None and flow > self.room

    def taking(self, flow: float, others_s: float) -> float:
        """Mean seconds of an attempt, those that fail included, when so many a minute come; where its own pace was
        never seen, that of the others stands for it."""
        away = self.away(flow)
        late = away * self.late
        worked = late + (1.0 - away) * (1.0 - (1.0 - CUT_SHORT) * self.own)
        return (self.p50_s or others_s) * worked + AWAY_S * (away - late)


def carrier_of(board: Board, source: str, name: str, past: Past) -> Carrier | None:
    """One deployment as it shows itself; None where it has no traffic figures."""
    one = board.readings.get(Ref(source, Kind.DEPLOYMENT, name))
    if not isinstance(one, Deployment) or one.traffic is None:
        return None
    flow = one.traffic.requests_per_min
    fails = one.traffic.error_ratio
    known = fails is not None and flow > 0
    if fails is None:
        fails = next((v for v in reversed(past(one.ref, "error_ratio", LAST_SEEN_S)) if v is not None), 0.0)
    refused = sum(item.per_min for item in one.failures if item.name in REFUSED)
    fails = max(0.0, fails - refused / flow) if flow > 0 else fails
    pressed = sum(item.per_min for item in one.failures if item.name in TURNED_AWAY)
    busy = sum(item.per_min for item in one.failures if item.name == "503")
    late = sum(item.per_min for item in one.failures if item.name == LATE) if busy > PRESSED * flow else 0.0
    pressed += late
    of_load = min(fails, pressed / flow) if flow > 0 else 0.0
    through = flow * (1.0 - of_load) if of_load > PRESSED else None
    own = (fails - of_load) / (1.0 - of_load) if of_load < 1.0 else 0.0
    faults = sum(item.per_min for item in one.failures if item.name.startswith(FAULT) and item.name not in TURNED_AWAY)
    ill = flow > 0 and through is None and ILL[0] < faults / flow < ILL[1]
    return Carrier(
        name=name,
        flow=flow,
        own=own,
        most=min((limit for limit in (limit_of(one), through) if limit is not None), default=None),
        late=late / pressed if pressed > 0 else 0.0,
        p50_s=one.latency.p50_s if one.latency else None,
        usd_each=_usd_each(one, flow * (1.0 - fails)),
        room=ROOM * flow if ill else None,
        usual_s=_usual(past(one.ref, "p50_s", LAST_SEEN_S), one.latency.p50_s if one.latency else None),
        known=known,
    )


def _usual(values: Sequence[float | None], now: float | None) -> float | None:
    """A quarter of the last hour was at least as good."""
    known = sorted(value for value in values if value is not None)
    return known[len(known) // 4] if known else now


def limit_of(one: Deployment) -> float | None:
    """The rate limit in requests a minute: the scarcer of requests and tokens; None where none is told."""
    head, traffic = one.headroom, one.traffic
    if head is None or traffic is None:
        return None
    limits = [head.requests_limit] if head.requests_limit is not None else []
    tokens = (traffic.tokens_in_per_min or 0.0) + (traffic.tokens_out_per_min or 0.0)
    good = traffic.requests_per_min - traffic.errors_per_min
    if head.tokens_limit is not None and tokens > 0 and good > 0:
        limits.append(head.tokens_limit * good / tokens)
    return min(limits, default=None)


def _usd_each(one: Deployment, good: float) -> float | None:
    if one.usd_per_h and good > 0:
        return one.usd_per_h / 60.0 / good
    return one.usd_per_request


@dataclass(slots=True)
class Settled:
    """Where the flow stands."""

    failing: float = 0.0
    """Part of the requests that fail in the end."""
    flows: dict[str, float] = field(default_factory=dict)
    """Attempts a minute, by deployment."""
    made: dict[str, float] = field(default_factory=dict)
    """Those of them that are of these requests."""
    good: dict[str, float] = field(default_factory=dict)
    """Answered attempts a minute of these requests, by deployment."""
    p50_s: float | None = None
    """Seconds of a typical attempt, as a route shows it; None where nothing says."""
    tries: float = 0.0
    """Attempts for a request."""
    seconds: float = 0.0
    """What a request takes with all its attempts, as long as anybody waits for it."""
    given_up: float = 0.0
    """Part of the requests for which nobody waits to the end."""


@dataclass(frozen=True, slots=True)
class Pool:
    """Who is asked together, each with its part of the attempts, and what they carry besides (attempts a minute)."""

    shares: Sequence[tuple[Carrier, float]]
    beside: dict[str, float]
    same: int = 1
    """Attempts at one of them, before another one is picked."""


def settle(fresh: float, again: float, pools: Sequence[Pool], homeless: float = 0.0) -> Settled:
    """Let `fresh` requests a minute reach the pools, one after the other for what fails, until it stands.

    Args:
        fresh: requests a minute without those that applications make again.
        again: part of the failing requests that applications make again.
        pools: who is asked first, then the fallbacks.
        homeless: part of the requests that nobody takes.
    """
    failing, found, asked = 0.0, Settled(), fresh
    for _ in range(ROUNDS):
        asked = fresh / max(0.05, 1.0 - again * failing)
        found = Settled()
        left = asked * (1.0 - homeless)
        for pool in pools:
            left = _try(pool, left, found)
        now = min(1.0, left / asked + homeless) if asked > 0 else 0.0
        moved = now - failing
        failing += 0.6 * moved
        if abs(moved) < SETTLED:
            break
    found.failing = failing
    carriers = {carrier.name: carrier for pool in pools for carrier, _ in pool.shares}
    _pace(found, carriers, asked)
    return found


def _pace(found: Settled, carriers: Mapping[str, Carrier], requests: float) -> None:
    """Say how long attempts and requests take where the flow stands."""
    known = [(flow, pace) for name, flow in found.flows.items() if (pace := carriers[name].p50_s) is not None]
    whole = sum(flow for flow, _ in known)
    found.p50_s = sum(flow * pace for flow, pace in known) / whole if whole > 0 else None
    usual = [pace for carrier in carriers.values() if (pace := carrier.usual_s) is not None]
    if requests <= 0 or not usual:
        return
    mean, most, stuck = sum(usual) / len(usual), PATIENCE * max(usual), 0.0
    for name, made in found.made.items():
        each, carrier = made / requests, carriers[name]
        found.tries += each
        if carrier.overloaded(found.flows[name]):
            stuck += each
        else:
            found.seconds += each * carrier.taking(found.flows[name], mean)
    stuck = min(1.0, stuck)
    found.seconds = min(most, stuck * most + found.seconds)
    found.given_up = GIVEN_UP * stuck


def _try(pool: Pool, requests: float, found: Settled) -> float:
    """Send requests to one pool; how many are left failing."""
    whole = sum(part for _, part in pool.shares)
    if whole <= 0 or requests <= 0:
        return requests
    shares = [(carrier, part / whole) for carrier, part in pool.shares if part > 0]
    made = {carrier.name: requests * part for carrier, part in shares}
    for _ in range(ROUNDS):
        fails = {c.name: c.failing(pool.beside.get(c.name, 0.0) + made[c.name]) for c, _ in shares}
        chance = sum(part * fails[carrier.name] ** pool.same for carrier, part in shares)
        picks = requests * sum(chance**number for number in range(TRIES))
        moved = 0.0
        for carrier, part in shares:
            change = picks * part * repeated(fails[carrier.name], pool.same) - made[carrier.name]
            made[carrier.name] += 0.6 * change
            moved += abs(change)
        if moved < SETTLED * requests:
            break
    good = 0.0
    for carrier, _ in shares:
        name, beside = carrier.name, pool.beside.get(carrier.name, 0.0)
        flow = made[name]
        answered = flow * (1.0 - carrier.failing(beside + flow))
        found.flows[name] = found.flows.get(name, beside) + flow
        found.made[name] = found.made.get(name, 0.0) + flow
        found.good[name] = found.good.get(name, 0.0) + answered
        good += answered
    return max(0.0, requests - good)


def repeated(failing: float, times: int) -> float:
    """Attempts at one place, of at most `times`, when each fails with that chance."""
    return sum(failing**number for number in range(times))
