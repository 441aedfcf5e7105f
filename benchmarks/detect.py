"""What detectors cost: a platform of 1,000 deployments, all of whose numbers change every 15 seconds."""

import random
import time
from collections.abc import Iterator

from benchmarks.results import Result, at_most, beside, middle
from console.config import Environment
from console.domain.board import Board
from console.domain.freshness import Freshness
from console.domain.readings import (
    AnyReading,
    Deployment,
    Headroom,
    Latency,
    Provider,
    Queue,
    Route,
    Source,
    Spend,
    SpendScope,
    Traffic,
)
from console.domain.refs import Kind, Ref
from console.domain.wire import Change
from console.engine.detectors.base import Learner
from console.engine.detectors.catalogue import detectors

DEPLOYMENTS = 1_000
POLL_S = 15
WARM_S = 2_700
MEASURED_S = 300
TICK_MS = 20.0
REMEMBER_MS = 10.0


class Platform:
    """Readings with noise: four deployments a route, twenty a provider, a hundred keys, fifty queues."""

    def __init__(self) -> None:
        self._rng = random.Random(4)
        self._requests = 0.0

    def readings(self, at: float) -> Iterator[AnyReading]:
        """All of them, as one look at the gateway gives them."""
        self._requests += 25.0
        yield Source(
            ref=Ref("gateway", Kind.SOURCE, "gateway"),
            observed_at=at,
            adapter="benchmark",
            freshness=Freshness.FRESH,
            interval_s=POLL_S,
            last_ok_at=at,
        )
        names = [f"deployment-{number}" for number in range(DEPLOYMENTS)]
        for number, name in enumerate(names):
            yield self._deployment(at, name, f"provider-{number % 50}")
        for number in range(50):
            yield Provider(
                ref=Ref("gateway", Kind.PROVIDER, f"provider-{number}"),
                observed_at=at,
                deployments=tuple(names[number::50]),
                traffic=self._traffic(2000.0),
                latency=self._latency(),
                usd_per_h=80.0 * self._some(),
            )
        for number in range(250):
            yield Route(
                ref=Ref("gateway", Kind.ROUTE, f"route-{number}"),
                observed_at=at,
                traffic=self._traffic(400.0),
                latency=self._latency(),
            )
        for number in range(100):
            yield self._key(at, f"key-{number}")
        for number in range(50):
            yield Queue(
                ref=Ref("gateway", Kind.QUEUE, f"queue-{number}"),
                observed_at=at,
                depth=round(20 * self._some()),
                consumers=4,
                oldest_age_s=5.0 * self._some(),
                in_per_min=60.0 * self._some(),
                out_per_min=60.0 * self._some(),
            )

    def _deployment(self, at: float, name: str, provider: str) -> Deployment:
        return Deployment(
            ref=Ref("gateway", Kind.DEPLOYMENT, name),
            observed_at=at,
            provider=provider,
            model="gpt-5",
            traffic=self._traffic(100.0),
            latency=self._latency(),
            headroom=Headroom(requests_left=400.0 * self._some(), requests_limit=1000.0),
            usd_per_h=4.0 * self._some(),
        )

    def _key(self, at: float, name: str) -> Spend:
        usd = self._requests * 0.004 * self._some()
        return Spend(
            ref=Ref("gateway", Kind.KEY, name),
            observed_at=at,
            scope=SpendScope.KEY,
            subject=name,
            usd_today=usd,
            priced_usd_today=usd,
            requests_today=self._requests,
            failed_today=self._requests * 0.004,
        )

    def _traffic(self, level: float) -> Traffic:
        requests = level * self._some()
        return Traffic(
            window_s=60.0,
            requests_per_min=requests,
            errors_per_min=0.004 * requests * self._some(),
            attempts_per_request=1.01,
        )

    def _latency(self) -> Latency:
        return Latency(window_s=60.0, p50_s=3.0, ttft_p50_s=0.5 * self._some(), s_per_token_p50=0.012 * self._some())

    def _some(self) -> float:
        return 1.0 + self._rng.gauss(0.0, 0.03)


def measure() -> Iterator[Result]:
    """CPU of hearing and judging, a tick of a second in the mean and at the most; and of the slowest memory."""
    board, platform = Board(), Platform()
    found = detectors(Environment(sources={}))
    spent: list[float] = []
    begin = 1_800_000_000.0
    for second in range(WARM_S + MEASURED_S):
        now = begin + second
        if second >= WARM_S - POLL_S or second % POLL_S == 0:
            change = None
            if second % POLL_S == 0:
                change = Change(seq=second, at=now, readings=tuple(platform.readings(now)))
                board.apply(change)
            started = time.process_time()
            for detector in found:
                if change is not None:
                    detector.feed(change)
                list(detector.tick(now, board))
            if second >= WARM_S:
                spent.append(1000.0 * (time.process_time() - started))
    mean = sum(spent) / len(spent)
    yield at_most("detect.tick_of_1000_deployments", mean, "ms CPU", TICK_MS)
    yield beside("detect.worst_tick", max(spent), "ms CPU")
    yield beside("detect.part_of_a_core", 0.1 * mean, "%")
    slowest, size = 0.0, 0
    for detector in found:
        if isinstance(detector, Learner):
            took = []
            for _ in range(5):
                started = time.process_time()
                kept = detector.remember()
                took.append(1000.0 * (time.process_time() - started))
            slowest, size = max(slowest, middle(took)), size + len(kept)
    yield at_most("detect.remember", slowest, "ms CPU", REMEMBER_MS)
    yield beside("detect.memory_kept", size / 1e6, "MB")
