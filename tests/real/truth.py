"""What the backend itself says, asked by other means than Switchgear: plain HTTP to each replica, and Redis."""

from collections.abc import Callable, Iterable
from typing import Any

from tests.real.stack.litellm import Replica
from tests.real.stack.redis_server import RedisServer
from tests.real.stack.testbed import Testbed


def on(replicas: Iterable[Replica], look: Callable[[Replica], Any]) -> list[Any]:
    """What each replica shows."""
    return [look(replica) for replica in replicas]


def blocked(model_id: str) -> Callable[[Replica], bool]:
    """Whether a replica keeps requests from a deployment because it was told to."""
    return lambda replica: bool(replica.deployments()[model_id]["model_info"].get("blocked"))


def weight(model_id: str) -> Callable[[Replica], Any]:
    """A deployment's weight as a replica has it."""
    return lambda replica: replica.deployments()[model_id]["litellm_params"].get("weight")


def alias(group: str) -> Callable[[Replica], Any]:
    """Which group answers for `group` on a replica; None when it does itself."""
    return lambda replica: (replica.router().get("model_group_alias") or {}).get(group)


def cooldown_s(redis: RedisServer, model_id: str) -> int:
    """Seconds for which a deployment still cools down, by Redis; -2 when it does not."""
    ttl = redis.client().ttl(f"deployment:{model_id}:cooldown")
    assert isinstance(ttl, int)
    return ttl


def served_by(testbed: Testbed, replica: Replica, group: str, *, requests: int = 12) -> set[str]:
    """Which upstreams answer `group` when `replica` is asked some times."""
    names = ("openai-a", "azure-b", "groq-c", "backup-d", "claude-e")
    before = {name: testbed.upstreams.hits(name) for name in names}
    for _ in range(requests):
        assert replica.ask(group).status_code == 200
    return {name for name in names if testbed.upstreams.hits(name) > before[name]}
