"""How often a gateway tries the same deployment, told by what an ill one gets; worked out by hand."""

from collections.abc import Sequence

import pytest

from console.domain.board import Board
from console.domain.circuit import Circuit, Observed, ReplicaCircuit
from console.domain.readings import Deployment, Route, RouteTarget, Traffic
from console.domain.refs import Kind, Ref
from console.forecast.trend import SLOT_S
from console.forecast.tries import same_place

CHAT = Ref("gw", Kind.ROUTE, "chat")
ILL, WELL = Ref("gw", Kind.DEPLOYMENT, "ill"), Ref("gw", Kind.DEPLOYMENT, "well")
HALF = 0.5


def board(observed: Observed = Observed.CLOSED, failing: float = HALF) -> Board:
    """Two deployments of one route; half of what the one is asked fails."""
    found = Board()
    for ref, fails in ((ILL, failing), (WELL, 0.0)):
        circuit = Circuit(replicas=(ReplicaCircuit(replica="r", observed=observed),))
        found.readings[ref] = Deployment(
            ref=ref, observed_at=0.0, provider="p", model="m", circuit=circuit if ref == ILL else Circuit(),
            traffic=Traffic(window_s=30.0, requests_per_min=100.0, errors_per_min=100.0 * fails),
        )  # fmt: skip
    targets = tuple(RouteTarget(deployment=ref.name) for ref in (ILL, WELL))
    found.readings[CHAT] = Route(ref=CHAT, observed_at=0.0, targets=targets)
    return found


def told(at: Board, repeats: float, calm: int = 200) -> int:
    """`calm` slots in which the two got equally much, then ten in which the ill one got `repeats` times as much."""
    series: dict[tuple[Ref, str], Sequence[float]] = {
        (ILL, "requests_per_min"): (100.0,) * calm + (100.0 * repeats,) * 10,
        (WELL, "requests_per_min"): (100.0,) * (calm + 10),
        (ILL, "error_ratio"): (0.0,) * calm + (HALF,) * 10,
        (WELL, "error_ratio"): (0.0,) * (calm + 10),
    }
    return same_place(at, "gw", lambda ref, metric, s: series[ref, metric][-round(s / SLOT_S) :])


@pytest.mark.parametrize(("times", "repeats"), [(1, 1.0), (2, 1.5), (3, 1.75)])
def test_an_ill_one_gets_as_many_attempts_more_as_are_made_right_there(times: int, repeats: float) -> None:
    assert told(board(), repeats) == times


def test_it_is_not_guessed_where_nothing_tells() -> None:
    assert told(board(failing=0.0), 1.75) == 1, "nothing fails"
    assert told(board(Observed.HALF_OPEN), 1.75) == 1, "what it gets is the breaker's choice"
    assert told(board(), 1.75, calm=4) == 1, "what is usual was hardly seen"
