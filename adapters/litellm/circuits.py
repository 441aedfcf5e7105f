"""A deployment's breaker on every replica, from what LiteLLM shows in three different places."""

from collections.abc import Mapping, Sequence

from adapters.litellm.cooldowns import MARK, Cooldown
from adapters.litellm.replica import Replica
from console.domain.circuit import Circuit, Mode, Observed, ReplicaCircuit

RELEASES = "timer, all at once"
"""LiteLLM has no half-open: when the timer ends, the whole traffic is back."""


def circuit_of(
    deployment: str,
    replicas: Sequence[Replica],
    cooldowns: Mapping[str, Cooldown] | None,
    cooldown_s: float,
    now: float,
) -> Circuit:
    """The breaker of one deployment.

    `cooldowns` None means that Redis cannot be asked: then a cooldown is taken from the replica's metrics, which tell
    that one began (`cooldown_s` long, unless a request succeeds before).
    """
    cooldown = None if cooldowns is None else cooldowns.get(deployment)
    if cooldown is not None and cooldown.until <= now:
        cooldown = None
    seen = [_on(replica, deployment, cooldown, cooldowns is None, cooldown_s, now) for replica in replicas]
    forced = (cooldown is not None and cooldown.ours) or any(_is_blocked(replica, deployment) for replica in replicas)
    return Circuit(mode=Mode.FORCED_OPEN if forced else Mode.AUTO, replicas=tuple(seen), releases=RELEASES)


def _is_blocked(replica: Replica, deployment: str) -> bool:
    model = replica.fleet.models.get(deployment) if replica.fleet else None
    return model is not None and model.blocked


def _on(
    replica: Replica, deployment: str, cooldown: Cooldown | None, guess: bool, cooldown_s: float, now: float
) -> ReplicaCircuit:
    if not replica.up or replica.fleet is None or deployment not in replica.fleet.models:
        return ReplicaCircuit(replica=replica.name, observed=Observed.UNKNOWN)
    if _is_blocked(replica, deployment):
        return ReplicaCircuit(replica=replica.name, observed=Observed.OPEN, cause="blocked")
    if cooldown is not None:
        cause = MARK if cooldown.ours else cooldown.cause
        return ReplicaCircuit(replica=replica.name, observed=Observed.OPEN, until=cooldown.until, cause=cause)
    began, status = replica.in_cooldown.get(deployment, (0.0, ""))
    if guess and now < began + cooldown_s:
        cause = f"cooldown after {status}"
        return ReplicaCircuit(replica=replica.name, observed=Observed.OPEN, until=began + cooldown_s, cause=cause)
    return ReplicaCircuit(replica=replica.name, observed=Observed.CLOSED)
