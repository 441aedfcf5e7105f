"""A forecast: the same rows for the action, for doing nothing, and for what else could be done."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from console.domain.actions import Action, Plan
from console.domain.board import Board
from console.domain.forecasts import HORIZON_S, Course, Forecast, Foreseen, Quantity
from console.domain.readings import Deployment, Queue, Route
from console.domain.refs import Kind, Ref
from console.domain.text import clean
from console.domain.verbs import Isolate, Park, Pause, Reissue, Resume, SetWeight, Stop, Switch, Trip
from console.forecast.daily import Daily, no_days
from console.forecast.gateway import Fate
from console.forecast.gateway import Road as Way
from console.forecast.quantities import purse, seen
from console.forecast.trend import Past, trend
from console.forecast.tries import same_place
from console.forecast.waiting import SAME, Backlog, Line, Road, parsed

ROUTES: Final = 3
"""Routes in one forecast, the busiest first."""
QUEUES: Final = 4
ALTERNATIVES: Final = 3
LOOKED_BACK_S: Final = 900.0
LASTING_S: Final = 60.0
"""An override that ends so shortly before the horizon still counts as standing: meters show a while."""
NOTHING: Final = "do nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Doing:
    """One thing that could be done."""

    target: Ref
    action: Action
    plan: Plan | None = None
    undoes: Sequence[Plan] = ()
    """The plans that a restore takes back."""
    ttl_s: float | None = None
    """Seconds until it ends by itself; None: it does not."""

    @property
    def words(self) -> str:
        """`switch chat to chat-lite`."""
        name = clean(self.target.name, 60)
        match self.action:
            case Switch(to=to):
                return f"switch {name} to {clean(to, 60)}"
            case SetWeight(weight=weight):
                return f"weight {weight:g} for {name}"
        return f"{self.action.verb} {name}"


def forecast(
    board: Board, past: Past, now: float, doing: Doing, horizon_s: float = HORIZON_S, daily: Daily = no_days
) -> Forecast | None:
    """What an action, doing nothing, and other actions would bring; None where no figure is concerned."""
    if isinstance(doing.action, Stop | Reissue):
        return None
    outlook = Outlook(board, past, now, doing.target, horizon_s, daily)
    if not outlook.concerns:
        return None
    others = [Doing(target=doing.target, action=one) for one in alternatives(board, doing)]
    courses = (outlook.course(doing), outlook.nothing(), *(outlook.course(one) for one in others))
    return Forecast(at=now, horizon_s=horizon_s, courses=courses)


class Outlook:
    """One object's neighbourhood: its routes, the queues whose work they are, and the purse."""

    def __init__(
        self, board: Board, past: Past, now: float, target: Ref, horizon_s: float = HORIZON_S, daily: Daily = no_days
    ) -> None:
        self._board = board
        self._past = past
        self._horizon_s = horizon_s
        self._daily = daily
        routes = concerned(board, target)
        same = same_place(board, routes[0].ref.source, past) if routes else 1
        self._ways = [Way(board, route, past, horizon_s, daily, same) for route in routes]
        self._lines = [Line(board, one, past, now, horizon_s) for one in queues_of(board, target, self._ways)]
        self._purse = purse(board, self._ways[0].route.ref.source) if self._ways else None

    @property
    def concerns(self) -> bool:
        """Whether there is anything to forecast."""
        return bool(self._ways or self._lines)

    def nothing(self) -> Course:
        """Nothing is done."""
        fates = [way.left_alone() for way in self._ways]
        return Course(words=NOTHING, foreseen=tuple(self._rows(fates, [line.left_alone() for line in self._lines])))

    def course(self, doing: Doing) -> Course:
        """One thing is done."""
        rows = self._queue(doing) if doing.target.kind is Kind.QUEUE else self._gateway(doing)
        return Course(words=doing.words, verb=doing.action.verb, target=doing.target, foreseen=tuple(rows))

    def _gateway(self, doing: Doing) -> Iterator[Foreseen]:
        over = doing.ttl_s is not None and doing.ttl_s < self._horizon_s - LASTING_S
        fates = [way.after(doing.action, doing.target, doing.undoes) for way in self._ways]
        by_route = {str(way.route.ref): fate for way, fate in zip(self._ways, fates, strict=True)}
        backlogs = [line.left_alone(_road(line.queue, by_route)) for line in self._lines]
        if over:
            fates = [way.left_alone() for way in self._ways]
        return self._rows(fates, backlogs, "it has ended by then" if over else "")

    def _queue(self, doing: Doing) -> Iterator[Foreseen]:
        backlogs, more = [], dict[str, float]()
        for line in self._lines:
            quiet = line.left_alone()
            if line.queue.ref != doing.target:
                backlogs.append(quiet)
                continue
            found = line.after(doing.action, doing.plan, doing.undoes, doing.ttl_s)
            backlogs.append(found)
            if found.waiting is not None and quiet.waiting is not None:
                calls = found.leaving_per_min * found.calls_each - quiet.leaving_per_min * quiet.calls_each
                more |= {feed: calls / len(line.queue.feeds) for feed in line.queue.feeds}
        return self._rows([way.left_alone(more.get(str(way.route.ref), 0.0)) for way in self._ways], backlogs)

    def _rows(self, fates: Sequence[Fate], backlogs: Sequence[Backlog], note: str = "") -> Iterator[Foreseen]:
        for line, found in zip(self._lines, backlogs, strict=True):
            yield self._row(Quantity.BACKLOG, line.queue.ref, found.waiting, found.words)
        for way, fate in zip(self._ways, fates, strict=True):
            words = "; ".join(part for part in (note, fate.words) if part)
            yield self._row(Quantity.ERRORS, way.route.ref, fate.errors, words)
            none = "" if fate.headroom is not None else "no limit of who carries them is told"
            yield self._row(Quantity.HEADROOM, way.route.ref, fate.headroom, none or words)
        if self._purse is not None:
            yield self._money(self._purse, fates)

    def _money(self, ref: Ref, fates: Sequence[Fate]) -> Foreseen:
        now = seen(self._board, Quantity.USD_PER_H, ref)
        unknown = next((fate.words for fate in fates if fate.usd_per_h is None), "")
        if now is None or unknown:
            return Foreseen(
                quantity=Quantity.USD_PER_H,
                ref=ref,
                now=now,
                words=clean(unknown or "nobody tells what calls cost", 200),
            )
        going = trend(self._past(ref, "usd_per_h", LOOKED_BACK_S), now)
        usual = going.after(self._horizon_s) * self._daily(ref, "usd_per_h")
        then = max(0.0, usual + sum(fate.usd_per_h or 0.0 for fate in fates))
        words = "the flow at today's price of a request" + (", which is changing" if going.slope else "")
        return Foreseen(quantity=Quantity.USD_PER_H, ref=ref, now=now, then=then, words=words)

    def _row(self, quantity: Quantity, ref: Ref, then: float | None, words: str) -> Foreseen:
        now = seen(self._board, quantity, ref)
        return Foreseen(quantity=quantity, ref=ref, now=now, then=then, words=clean(words, 200))


def concerned(board: Board, target: Ref) -> list[Route]:
    """The routes whose requests an action on an object moves, the busiest first."""
    wanted: set[Ref] = set()
    if target.kind is Kind.ROUTE:
        wanted = {target}
    elif target.kind is Kind.QUEUE:
        queue = board.readings.get(target)
        wanted = {ref for feed in queue.feeds if (ref := parsed(feed))} if isinstance(queue, Queue) else set()
    found = [
        one for one in board.of(Route) if one.ref in wanted or (target.kind is Kind.DEPLOYMENT and _lists(one, target))
    ]
    return sorted(found, key=lambda one: -(one.traffic.requests_per_min if one.traffic else 0.0))[:ROUTES]


def queues_of(board: Board, target: Ref, ways: Sequence[Way]) -> list[Queue]:
    """The queues whose work goes over some routes; of a queue itself, that one first."""
    own = board.readings.get(target)
    routes = {str(way.route.ref) for way in ways}
    others = [one for one in board.of(Queue) if one.ref != target and routes.intersection(one.feeds)]
    others = [] if target.kind is Kind.QUEUE else sorted(others, key=lambda one: -one.depth)
    return ([own] if isinstance(own, Queue) else [])[:1] + others[:QUEUES]


def alternatives(board: Board, doing: Doing) -> list[Action]:
    """What else could be done to the same object, as far as it says that it can."""
    reading = board.readings.get(doing.target)
    offered: list[Action] = []
    match reading:
        case Deployment(weight=weight):
            offered = [Trip(), *((SetWeight(round(weight / 2.0, 3)), SetWeight(0.0)) if weight else ())]
        case Route(switch_options=options):
            offered = [Switch(one.to, one.mechanism) for one in options]
        case Queue():
            offered = [Pause(), Resume(), Park(), Isolate()]
    able = [one for one in offered if reading is not None and reading.ability(one.verb).able and not _same(one, doing)]
    return able[:ALTERNATIVES]


def _same(one: Action, doing: Doing) -> bool:
    if isinstance(one, Switch) and isinstance(doing.action, Switch):
        return one.to == doing.action.to
    return one == doing.action


def _lists(route: Route, target: Ref) -> bool:
    return route.ref.source == target.source and any(item.deployment == target.name for item in route.targets)


def _road(queue: Queue, fates: dict[str, Fate]) -> Road:
    """What a queue's workers notice: of the routes that they call, the one that changes most."""
    found = [fates[feed] for feed in queue.feeds if feed in fates and fates[feed].errors is not None]
    if not found:
        return SAME
    most = max(found, key=lambda fate: abs(fate.slower_s) + abs(fate.errors or 0.0) + fate.given_up)
    feed = next(feed for feed in queue.feeds if fates.get(feed) is most)
    return Road(
        route=parsed(feed), p50_s=most.p50_s, tries=most.tries, slower_s=most.slower_s,
        errors_ratio=most.errors_ratio, errors=most.errors or 0.0, given_up=most.given_up,
    )  # fmt: skip
