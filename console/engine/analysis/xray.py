"""Which layer multiplies a route's calls, and by how much: from what the gateway and the queues count."""

from collections.abc import Mapping

from console.domain.analysis import RetryLayer, RetryXray
from console.domain.board import Board
from console.domain.readings import Deployment, Queue, Route
from console.domain.refs import Kind, Ref
from console.domain.text import clean
from console.engine.analysis.past import Past

QUIET_PER_MIN = 1.0
"""A route with fewer calls a minute than this is not looked through."""
WORST_FROM = 1.05
"""A layer that multiplies by less than this multiplies nothing."""
APPLICATION, WORKER, GATEWAY, FALLBACK = "application", "worker", "gateway", "fallback"


def xray(route: Route, board: Board, past: Mapping[Ref, Past]) -> RetryXray | None:
    """The layers of one route in the order in which a request passes them; None when nothing flows.

    What goes out of the last layer divided by the amplification that the gateway counts gives the original requests;
    what lies between those and the route's calls is the applications' and the workers' doing.
    """
    if route.traffic is None or route.traffic.requests_per_min < QUIET_PER_MIN:
        return None
    calls = route.traffic.requests_per_min
    tries, elsewhere = _tries(route, board), route.traffic.fallbacks_per_min or 0.0
    out = tries + elsewhere
    told = route.traffic.attempts_per_request
    originals = out / told if told else calls
    again = min(_again(route.ref, board), max(0.0, calls - originals))
    workers = 1.0 + again / originals if originals else 1.0
    known = past.get(route.ref)
    layers = (
        _layer(APPLICATION, route.ref, calls / (originals * workers) if originals else 1.0, calls - again, None),
        _layer(WORKER, _queue(route.ref, board), workers, calls, None),
        _layer(GATEWAY, route.ref, tries / calls, tries, _usual(known)),
        _layer(FALLBACK, route.ref, out / tries if tries else 1.0, out, None),
    )
    product = 1.0
    for layer in layers:
        product *= layer.factor
    worst = max(layers, key=lambda layer: layer.factor)
    return RetryXray(
        route=route.ref,
        layers=layers,
        amplification=round(product, 2),
        worst=worst.name if worst.factor >= WORST_FROM else "",
    )


def _layer(name: str, ref: Ref | None, factor: float, per_min: float, usual: float | None) -> RetryLayer:
    """A layer that gives on less than it gets (a breaker that holds back) multiplies nothing."""
    return RetryLayer(name=name, ref=ref, factor=round(max(1.0, factor), 3), per_min=round(per_min, 1), usual=usual)


def _tries(route: Route, board: Board) -> float:
    """Attempts a minute at its deployments; of one that several routes share, the route's part by their calls."""
    total = 0.0
    for target in route.targets:
        reading = board.readings.get(Ref(route.ref.source, Kind.DEPLOYMENT, target.deployment))
        if isinstance(reading, Deployment) and reading.traffic is not None:
            total += reading.traffic.requests_per_min * _part(route, reading, board)
    return total


def _part(route: Route, deployment: Deployment, board: Board) -> float:
    flows = {}
    for name in (*deployment.routes, route.ref.name):
        other = board.readings.get(Ref(route.ref.source, Kind.ROUTE, name))
        if isinstance(other, Route) and other.traffic is not None:
            flows[name] = other.traffic.requests_per_min
    total = sum(flows.values())
    return flows.get(route.ref.name, 0.0) / total if total else 0.0


def _feeding(route: Ref, board: Board) -> list[Queue]:
    return [queue for queue in board.of(Queue) if str(route) in queue.feeds]


def _again(route: Ref, board: Board) -> float:
    """Jobs a minute that workers take once more."""
    return sum(queue.redelivered_per_min or 0.0 for queue in _feeding(route, board))


def _queue(route: Ref, board: Board) -> Ref | None:
    """The queue in which most jobs come again; None where no queue feeds the route."""
    queues = sorted(_feeding(route, board), key=lambda queue: (-(queue.redelivered_per_min or 0.0), str(queue.ref)))
    return queues[0].ref if queues else None


def _usual(known: Past | None) -> float | None:
    """The usual number of attempts for each request: that of all layers together, where only the whole is kept."""
    found = None if known is None else known.usual("attempts_per_request")
    return None if found is None else round(found, 2)


def words_of(found: RetryXray) -> str:
    """`chat: 3.2 attempts for each request, most of it by the gateway`."""
    most = f", most of it by the {found.worst}" if found.worst else ""
    return f"{clean(found.route.name, 60)}: {found.amplification:.1f} attempts for each request{most}"
