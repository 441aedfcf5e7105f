"""What providers do with what is sent to them: rate limits, slots, queues, timeouts and faults.

The feedback that makes incidents: load fills the slots, the queue makes answers late, late answers time out, the
work on them is lost all the same, and their retries are more load.
"""

import math
from typing import Final

from adapters.simulator.parts import ATTEMPTS, BROKEN, LIMITED, TIMED_OUT, TURNED_AWAY, Deployment, Provider
from adapters.simulator.platform import GatewaySpec

SPREAD: Final = 0.45
"""Standard deviation of the logarithm of a service time."""

BASE_ERRORS: Final = 0.002
"""Part of the requests that fail on a good day."""

FAILED_WORK: Final = 0.5
"""A request that fails at once still costs this part of its service time."""

P95: Final = math.exp(1.645 * SPREAD)
"""p95 / median of a service time."""


def serve(provider: Provider, gateway: GatewaySpec, dt: float) -> None:
    """Let `dt` seconds of the offered requests reach a provider, and settle what the next ones will meet."""
    slow = math.exp(provider.noise)
    work = 0.0
    for item in provider.deployments:
        _service(item, slow)
        offered = sum(item.offered)
        _count(item, offered * dt)
        limit = item.limit / 60.0
        item.limited = 0.0 if offered <= limit else 1.0 - limit / offered
        accepted = offered * (1.0 - item.limited)
        work += accepted * item.service_s * (1.0 - (1.0 - FAILED_WORK) * _broken(item))
    provider.offered_s = work
    provider.ratio = work / provider.slots if provider.slots > 0 else math.inf
    full = provider.spec.queue_s
    turned_away = 1.0 - 1.0 / provider.ratio if provider.wait_s >= full and provider.ratio > 1.0 else 0.0
    provider.wait_s = min(full, max(0.0, provider.wait_s + (min(provider.ratio, 10.0) - 1.0) * dt))
    crowded = 1.0 + 0.4 * min(1.0, provider.ratio) ** 4
    for item in provider.deployments:
        _settle(item, provider, crowded, turned_away, gateway.timeout_s)


def _broken(item: Deployment) -> float:
    """The part of a deployment's requests that fail with a 500."""
    return 1.0 - (1.0 - BASE_ERRORS) * (1.0 - item.faulty)


def _service(item: Deployment, slow: float) -> None:
    spec = item.spec
    item.ttft_s = spec.ttft_s * item.slow_ttft * slow
    item.s_per_token = spec.s_per_token * item.slow_decode * slow
    item.service_s = item.ttft_s + spec.tokens_out * item.s_per_token


def _count(item: Deployment, attempts: float) -> None:
    """Book the outcome of this tick's attempts with the chances that they met."""
    sums = item.sums.now
    sums[ATTEMPTS] += attempts
    for index, part in item.classes.items():
        sums[index] += attempts * part


def _settle(item: Deployment, provider: Provider, crowded: float, turned_away: float, timeout_s: float) -> None:
    service = item.service_s * crowded
    late = late_part(timeout_s - provider.wait_s, service)
    left = 1.0
    parts = {}
    chances = ((LIMITED, item.limited), (TURNED_AWAY, turned_away), (BROKEN, _broken(item)), (TIMED_OUT, late))
    for index, part in chances:
        parts[index] = left * part
        left *= 1.0 - part
    # Half of the step only: the flow that these chances come from was itself made by the chances before.
    for index, part in parts.items():
        item.classes[index] += 0.5 * (part - item.classes[index])
    item.fail = sum(item.classes.values())
    item.latency_s = provider.wait_s + service
    item.ttft_s = provider.wait_s + item.ttft_s * crowded
    item.s_per_token *= crowded


def late_part(patience_s: float, service_s: float) -> float:
    """The part of requests that needs longer than `patience_s` when the median is `service_s` (log-normal)."""
    if patience_s <= 0:
        return 1.0
    return 0.5 * math.erfc(math.log(patience_s / service_s) / (SPREAD * math.sqrt(2.0)))
