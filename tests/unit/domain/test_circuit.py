"""A breaker over several replicas: the state that most restricts, and how many agree on it."""

import pytest

from console.domain.circuit import Circuit, Observed, ReplicaCircuit

CLOSED, OPEN, HALF, UNKNOWN = Observed.CLOSED, Observed.OPEN, Observed.HALF_OPEN, Observed.UNKNOWN


def _circuit(*states: Observed) -> Circuit:
    return Circuit(replicas=tuple(ReplicaCircuit(replica=f"r{n}", observed=state) for n, state in enumerate(states)))


@pytest.mark.parametrize(
    ("states", "observed", "agreement"),
    [
        ((), UNKNOWN, (0, 0)),
        ((CLOSED, CLOSED), CLOSED, (2, 2)),
        ((CLOSED, OPEN), OPEN, (1, 2)),
        ((HALF, OPEN, CLOSED), OPEN, (1, 3)),
        ((HALF, CLOSED, UNKNOWN), HALF, (1, 3)),
        ((UNKNOWN, CLOSED), UNKNOWN, (1, 2)),
        ((UNKNOWN, UNKNOWN), UNKNOWN, (2, 2)),
        ((OPEN, OPEN), OPEN, (2, 2)),
    ],
)
def test_the_worst_state_counts(states: tuple[Observed, ...], observed: Observed, agreement: tuple[int, int]) -> None:
    circuit = _circuit(*states)
    assert circuit.observed is observed
    assert circuit.agreement == agreement


def test_the_end_is_that_of_the_last_replica_and_the_cause_the_first_that_is_known() -> None:
    circuit = Circuit(
        replicas=(
            ReplicaCircuit(replica="a", observed=OPEN),
            ReplicaCircuit(replica="b", observed=OPEN, until=20.0, cause="429"),
            ReplicaCircuit(replica="c", observed=OPEN, until=30.0, cause="500"),
        )
    )
    assert circuit.until == 30.0
    assert circuit.cause == "429"
    assert _circuit(CLOSED).until is None
    assert _circuit(CLOSED).cause == ""
